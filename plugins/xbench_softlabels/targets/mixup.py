"""Mixup: images and targets of a batch, mixed in pairs."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Batch, ImageSet, Loss, ParameterError, Targets, derived_seed
from xbench_softlabels.kernels.draws import drawn_mixing, mixed


@dataclass(frozen=True)
class Mixup(Loss):
    """Another loss, of images and targets that are mixed in pairs (Zhang et al. 2018, eq. 1).

    Images and targets become λ · own + (1 − λ) · partner's, with one λ ~ Beta(α, α) for a batch
    and partners that permute it, as in the authors' code; α = 0 mixes nothing. Targets are mixed
    after those of the other loss are drawn. What is drawn follows from (seed, epoch) and the
    batch's ids, in whatever order.
    """

    name: ClassVar[str] = "mixup"
    example: ClassVar = MappingProxyType({"of": "cross-entropy"})

    of: Loss
    """Whose targets are mixed; labels in both papers."""
    alpha: float = 1.0
    """How much is mixed: λ is uniform at 1, near 0 or 1 for small values."""

    def __post_init__(self) -> None:
        """Check the values."""
        if not 0 <= self.alpha < float("inf"):
            raise ValueError(f"alpha is {self.alpha}; it needs a finite number of at least 0")
        if isinstance(self.of, Mixup):
            raise ParameterError("mixup of mixup would mix the same pairs twice; give a plain loss")

    @property
    def of_images(self) -> bool:
        """What holds of the other loss."""
        return self.of.of_images

    def check(self, images: ImageSet) -> None:
        """Raise what the other loss raises."""
        self.of.check(images)

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """Images and targets of the other loss, mixed alike."""
        pure = self.of.targets(batch, classes=classes, epoch=epoch, generator=generator)
        seed = derived_seed("mixup", generator.initial_seed(), *sorted(batch.ids))
        mixing = drawn_mixing(batch.ids, self.alpha, seed)
        distribution = mixed(pure.distribution, mixing)
        return pure._replace(images=mixed(pure.images, mixing), distribution=distribution)

    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        """What the other loss scores against the mixed targets."""
        return self.of.score(logits, targets)
