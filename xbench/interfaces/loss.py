"""Losses: from a batch to a target distribution and a score of logits against it."""

from abc import abstractmethod
from typing import ClassVar, NamedTuple

from jaxtyping import Float
from torch import Generator, Tensor

from xbench.interfaces.component import Component
from xbench.interfaces.data.dataset import Batch, ImageSet


class Targets(NamedTuple):
    """What logits are scored against, and the images they should come from."""

    images: Float[Tensor, "n 3 h w"]
    distribution: Float[Tensor, "n classes"]
    source: ImageSet | None = None
    """Where the images come from, for a loss that knows more of their classes."""


class Loss(Component):
    """A training objective.

    Its randomness is a function of the generator, which the training seeds from (seed, epoch),
    and of image ids: a resumed training is the same training. All batches of an epoch get
    that generator, so what is drawn for an image is drawn from `per_image(generator, id)`,
    whatever its batch, and what is drawn for a batch from one that its ids seed too.
    """

    kind: ClassVar[str] = "loss"

    def check(self, images: ImageSet) -> None:
        """Raise what is wrong with training on these images; nothing unless overridden."""

    @property
    def of_images(self) -> bool:
        """Whether targets are of the images themselves, by id, and not of their labels alone.

        Then a batch needs the set that it comes from as its source; another set of the same
        classes will not do.
        """
        return False

    @abstractmethod
    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """The (possibly mixed) images of a batch with labels, and the target of each."""

    @abstractmethod
    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        """The loss, differentiable in the logits, averaged over the batch."""
