"""The probabilities of other networks as the target of each image."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from jaxtyping import Float64
from torch import Tensor

from xbench import ImageSet, location
from xbench_softlabels.kernels.distributions import tempered
from xbench_softlabels.targets.image_targets import ImageTargets
from xbench_softlabels.targets.predicted import predicted


@dataclass(frozen=True)
class Distillation(ImageTargets):
    """Cross-entropy with the probabilities that a network, or an ensemble, gave each image.

    The temperature is that of the targets alone, ∝ p^(1/T); Hinton et al. (2015, eq. 1) divide the
    logits of the network that learns as well while it is trained.
    """

    name: ClassVar[str] = "distillation"
    example: ClassVar = MappingProxyType({"predictions": "probabilities.npz"})

    predictions: str = location()
    """A .npz file of probabilities or logits for all images of the training split."""
    temperature: float = 1.0
    """Above 1 targets are flatter than the probabilities, below 1 sharper."""

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0 < self.temperature < float("inf"):
            message = f"temperature is {self.temperature}; it needs a finite number above 0"
            raise ValueError(message)

    def distributions(self, images: ImageSet) -> Float64[Tensor, "n classes"]:
        """The probabilities in the file, at this temperature; errors name the file."""
        return tempered(predicted(self.predictions, images), self.temperature)
