"""Losses: from a batch to a target distribution and a score of logits against it."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from jaxtyping import Float, Int64
from torch import Generator, Tensor

from xbench.component import Component


class Targets(NamedTuple):
    """What logits are scored against, and the images they should come from."""

    images: Float[Tensor, "n 3 h w"]
    distribution: Float[Tensor, "n classes"]


class Loss(Component):
    """A training objective.

    Its randomness is a function of the generator, which the training seeds from
    (seed, epoch, image ids): a resumed training is the same training.
    """

    kind: ClassVar[str] = "loss"

    @abstractmethod
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
        """The (possibly mixed) images and the target distribution of each."""

    @abstractmethod
    def score(
        self, logits: Float[Tensor, "n classes"], distribution: Float[Tensor, "n classes"]
    ) -> Float[Tensor, ""]:
        """The loss, differentiable in the logits, averaged over the batch."""
