"""The loss that classifiers are usually trained with."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Generator, Tensor
from torch.nn import functional

from xbench import Batch, Loss, Targets


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross-entropy with the labels; `smoothing` of the mass is spread over all classes."""

    name: ClassVar[str] = "cross-entropy"

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0 <= self.smoothing < 1:
            raise ValueError(f"smoothing is {self.smoothing}; it needs 0 <= smoothing < 1")

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """The images as they are, and one-hot labels, smoothed."""
        certain = functional.one_hot(batch.known_labels(), classes).to(batch.images.dtype)
        distribution = certain * (1 - self.smoothing) + self.smoothing / classes
        return Targets(batch.images, distribution, batch.source)

    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        """Cross-entropy, averaged over the batch."""
        return functional.cross_entropy(logits, targets.distribution)
