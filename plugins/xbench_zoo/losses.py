"""The loss that classifiers are usually trained with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float, Int64
from torch import Generator, Tensor
from torch.nn import functional

from xbench.loss import Loss, Targets


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross-entropy with the labels; `smoothing` of the mass is spread over all classes."""

    name: ClassVar[str] = "cross-entropy"

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0 <= self.smoothing < 1:
            raise ValueError(f"smoothing is {self.smoothing}; it needs 0 <= smoothing < 1")

    def targets(
        self,
        images: Float[Tensor, "n 3 h w"],
        labels: Int64[Tensor, " n"],
        ids: Sequence[int],
        *,
        classes: int,
        epoch: int,
        generator: Generator,
    ) -> Targets:
        """The images as they are, and one-hot labels, smoothed."""
        certain = functional.one_hot(labels, classes).to(images.dtype)
        return Targets(images, certain * (1 - self.smoothing) + self.smoothing / classes)

    def score(
        self, logits: Float[Tensor, "n classes"], distribution: Float[Tensor, "n classes"]
    ) -> Float[Tensor, ""]:
        """−Σ distribution · log softmax(logits), averaged over the batch."""
        return functional.cross_entropy(logits, distribution)
