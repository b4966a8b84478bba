"""Concept scores: how much each concept would change the probability of the correct class."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from jaxtyping import Float64, UInt8
from torch import Tensor

from xbench.annotation import Concept
from xbench.explanation import Explanation


@dataclass(frozen=True, eq=False)
class ConceptScores(Explanation):
    """Conceptual explanation scores of one image, or of several together.

    Positive: adding the concept makes the class more probable.
    """

    name: ClassVar[str] = "concept scores"

    concepts: tuple[Concept, ...]
    raw: Float64[Tensor, " concepts"]
    """P(y | b + step) − P(y | b), summed over the images."""
    logarithmic: Float64[Tensor, " concepts"]
    """log P(y | b + step) − log P(y | b), summed over the images."""
    probability: float
    """P(y | b), the mean over the images."""
    label: int
    """y: the correct class, or the predicted one where the correct one is not known."""
    predicted: int
    """The most probable class."""
    known: bool = True
    """Whether the correct class is known."""
    verified: bool = True
    """Whether the bank is known to belong to the network's weights."""
    images: int = 1
    examples: UInt8[Tensor, "concepts 3 s s"] | None = None

    @property
    def normalised(self) -> Float64[Tensor, " concepts"]:
        """`raw` divided by its largest absolute value; 0 where all are 0."""
        raise NotImplementedError

    def tensors(self) -> Mapping[str, Tensor]:
        """Everything by name; strings as their UTF-8 bytes."""
        raise NotImplementedError

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The scores whose `tensors` these are."""
        raise NotImplementedError
