"""The human distribution of each image as its target."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float64
from torch import Tensor

from xbench import ImageSet
from xbench_softlabels.kernels.distributions import shares
from xbench_softlabels.targets.image_targets import ImageTargets
from xbench_softlabels.targets.judgements import judgements


@dataclass(frozen=True)
class ImageHumanLabels(ImageTargets):
    """Cross-entropy with what people took each image for (Peterson et al. 2019, section 4)."""

    name: ClassVar[str] = "human-labels"

    def distributions(self, images: ImageSet) -> Float64[Tensor, "n classes"]:
        """Counts divided by how many people judged the image; `MismatchError` without any."""
        return shares(judgements(images, self.name))
