"""Three classes without photographs: predictions of them, and how near they are."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float64, Int64, UInt8
from torch import Tensor

from xbench import (
    Annotation,
    ClassHierarchy,
    Dataset,
    MismatchError,
    Similarity,
    UnknownNameError,
    fingerprint,
)

SIDE = 8


class Predictions(Annotation):
    """A prediction of three classes for each image: the correct one, a close and a far one."""

    @abstractmethod
    def predictions(self, ids: Sequence[int]) -> Float64[Tensor, "n 3"]:
        """Probabilities of the correct, the close and the far class; rows sum to 1."""


@dataclass(frozen=True)
class ProbabilityPlane(Dataset, Predictions, ClassHierarchy):
    """A grid of predictions of three classes, each an image of one colour.

    For every probability of the correct class the rest is divided between the far and the
    close class in equal steps. No probability is 0, so every loss is finite. Red, green and
    blue of an image are the probabilities of the correct, the close and the far class.
    """

    name: ClassVar[str] = "probability-plane"

    correct: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)
    """Probabilities of the correct class, growing."""
    points: int = 36
    """In how many ways the rest is divided."""

    def __post_init__(self) -> None:
        """Check the values."""
        if not self.correct or not all(0 < p < 1 for p in self.correct):
            raise ValueError(f"correct is {self.correct}; it needs probabilities between 0 and 1")
        if list(self.correct) != sorted(set(self.correct)):
            raise ValueError(f"correct is {self.correct}; it needs to grow")
        if self.points < 2:
            raise ValueError(f"points is {self.points}; at least 2 are needed")

    def check(self) -> None:
        """Nothing can be missing: everything is computed."""

    def fingerprint(self) -> str:
        """A hash of the fields."""
        return fingerprint({"parameters": self.parameters()})

    def class_names(self) -> tuple[str, ...]:
        """The correct class, a close one and a far one."""
        return ("correct", "close", "far")

    def class_ancestors(self) -> tuple[tuple[str, ...], ...]:
        """The correct and the close class are kin."""
        return (("kin", "any"), ("kin", "any"), ("stranger", "any"))

    def splits(self) -> tuple[str, ...]:
        """One split, since nothing is learnt."""
        return ("plane",)

    def ids(self, split: str) -> Sequence[int]:
        """One image for each prediction: all with the first probability come first."""
        if split not in self.splits():
            raise UnknownNameError(f"split of {self.name}", split, self.splits())
        return range(len(self.correct) * self.points)

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """Always the correct class."""
        return torch.zeros(len(ids), dtype=torch.int64)

    def predictions(self, ids: Sequence[int]) -> Float64[Tensor, "n 3"]:
        """Probabilities of the correct, the close and the far class."""
        numbers = torch.tensor(list(ids), dtype=torch.int64)
        correct = torch.tensor(self.correct, dtype=torch.float64)[numbers // self.points]
        share = ((numbers % self.points).double() + 0.5) / self.points
        return torch.stack([correct, (1 - correct) * (1 - share), (1 - correct) * share], dim=1)

    def images(self, ids: Sequence[int]) -> list[UInt8[Tensor, "3 8 8"]]:
        """The predictions as colours."""
        colours = (255 * self.predictions(ids)).round().to(torch.uint8)
        return [colour[:, None, None].repeat(1, SIDE, SIDE) for colour in colours]


@dataclass(frozen=True)
class ThreeClasses(Similarity):
    """How near three classes are: a correct one, a close one and a far one."""

    name: ClassVar[str] = "three-classes"

    close: float = 0.4
    """W_c: between the correct and the close class."""
    far: float = 0.05
    """W_f: between the far class and either of the others."""
    own: float = 0.55
    """Of every class to itself, of which the paper does not speak."""

    def matrix(self, dataset: Dataset) -> Float64[Tensor, "classes classes"]:
        """`MismatchError` for a dataset that has not three classes."""
        count = len(dataset.class_names())
        if count != 3:
            message = f"similarity {self.name!r} is one of three classes, but dataset "
            raise MismatchError(f"{message}{dataset.name!r} has {count}")
        own, close, far = self.own, self.close, self.far
        rows = [[own, close, far], [close, own, far], [far, far, own]]
        return torch.tensor(rows, dtype=torch.float64)
