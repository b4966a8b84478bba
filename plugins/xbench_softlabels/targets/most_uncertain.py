"""Human labels for the most uncertain images, and the label for all others."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.nn import functional

from xbench import ImageSet, location
from xbench_softlabels.kernels.distributions import most_uncertain, shares
from xbench_softlabels.targets.image_targets import ImageTargets
from xbench_softlabels.targets.judgements import judgements
from xbench_softlabels.targets.predicted import predicted


@dataclass(frozen=True)
class MostUncertain(ImageTargets):
    """Cross-entropy with human labels where people, or a network, are most uncertain.

    All other images have their label. The share is of the training images: each fold has its own.
    """

    name: ClassVar[str] = "most-uncertain"

    share: float = 0.3
    """Of the training images, which have human labels; share · n, halves rounded up."""
    by: Literal["people", "network"] = "people"
    """Whose entropy ranks images; of equal ones the smaller id comes first."""
    predictions: str = location("")
    """Of `network`: a .npz file of its probabilities for all images of the training split."""

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0 <= self.share <= 1:
            raise ValueError(f"share is {self.share}; it needs 0 <= share <= 1")
        if bool(self.predictions) != (self.by == "network"):
            raise ValueError(
                f'by is {self.by!r} and predictions {self.predictions!r}; by = "network" needs a '
                'file of predictions, and by = "people" reads none'
            )

    def distributions(self, images: ImageSet) -> Float64[Tensor, "n classes"]:
        """The human distribution of each chosen image, and the label of each other one."""
        human = shares(judgements(images, self.name))
        ids = images.ids()
        labels = functional.one_hot(images.dataset.labels(ids), human.shape[1]).double()
        doubt = human if self.by == "people" else predicted(self.predictions, images)
        chosen = most_uncertain(doubt, torch.tensor(ids, dtype=torch.int64), self.share)
        return torch.where(chosen.unsqueeze(1), human, labels)
