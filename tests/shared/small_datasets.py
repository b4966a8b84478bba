"""Datasets of images that are made from their ids, small enough for tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor

from xbench import ClassHierarchy, Dataset, HumanLabels


@dataclass(frozen=True)
class Made(Dataset):
    """Images that follow from their ids, of the classes in turn: `image` makes one of them.

    A subclass says what it does otherwise; a class variable of this one may be its field.
    """

    name: ClassVar[str] = "made"
    classes: ClassVar[Any] = ("dark", "bright")
    count: ClassVar[Any] = 12
    """Images of each split."""
    starts: ClassVar[Mapping[str, int]] = MappingProxyType({"train": 0, "test": 1000})
    """The first id of each split."""

    def check(self) -> None:
        """Nothing can be missing."""

    def fingerprint(self) -> str:
        return "-".join(map(str, (self.name, *self.parameters().values())))

    def class_names(self) -> tuple[str, ...]:
        return self.classes

    def splits(self) -> tuple[str, ...]:
        return tuple(self.starts)

    def ids(self, split: str) -> Sequence[int]:
        start = self.starts[split]
        return range(start, start + self.count)

    def labels(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor([image % len(self.classes) for image in ids], dtype=torch.int64)

    def images(self, ids: Sequence[int]) -> Sequence[Tensor]:
        return torch.stack([self.image(image) for image in ids])

    def image(self, image: int) -> Tensor:
        """Black, where a test does not look."""
        return torch.zeros(3, 4, 4, dtype=torch.uint8)


@dataclass(frozen=True)
class Greys(Made):
    """Plain squares of 8×8 pixels, the brighter the higher their ids."""

    name: ClassVar[str] = "greys"

    test: int = 12
    offset: int = 0

    def ids(self, split: str) -> Sequence[int]:
        return range(8) if split == "train" else range(8, 8 + self.test)

    def image(self, image: int) -> Tensor:
        return torch.full((3, 8, 8), 10 * image + self.offset).byte()


@dataclass(frozen=True)
class Stripes(Made):
    """Noise with a bright stripe whose height in the image is the class."""

    name: ClassVar[str] = "stripes"
    classes: ClassVar[tuple[str, ...]] = ("top", "middle", "bottom")

    count: int = 25
    labelled: int = 3
    """How many classes have images."""

    def ids(self, split: str) -> Sequence[int]:
        return range(self.count) if split == "train" else range(100, 130)

    def labels(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor([image % self.labelled for image in ids])

    def image(self, image: int) -> Tensor:
        return striped(noise(image, 90), image % 3)


@dataclass(frozen=True)
class Fogged(Stripes):
    """Every other image shows fog instead of a stripe."""

    name: ClassVar[str] = "fogged"

    count: int = 48

    def ids(self, split: str) -> Sequence[int]:
        return range(self.count) if split == "train" else range(1000, 1090)

    def labels(self, ids: Sequence[int]) -> Tensor:
        return super().labels([image // 2 for image in ids])

    def image(self, image: int) -> Tensor:
        made = noise(image, 60)
        return made + 150 if image % 2 else striped(made, image // 2 % 3)


def noise(image: int, high: int) -> Tensor:
    """An image of 12×12 pixels below `high`, drawn from its id."""
    draws = torch.Generator().manual_seed(image)
    return torch.randint(0, high, (3, 12, 12), generator=draws).to(torch.uint8)


def striped(image: Tensor, place: int) -> Tensor:
    """The image, with one of its thirds brighter."""
    image[:, 4 * place : 4 * place + 4] += 120
    return image


@dataclass(frozen=True)
class Named(Made):
    """Classes without images."""

    name: ClassVar[str] = "named"
    starts: ClassVar[Mapping[str, int]] = MappingProxyType({"test": 0})
    count: ClassVar[int] = 0

    classes: tuple[str, ...]


@dataclass(frozen=True)
class Treed(Named, ClassHierarchy):
    """Classes below a tree."""

    ancestors: tuple[tuple[str, ...], ...] = ()

    def class_ancestors(self) -> tuple[tuple[str, ...], ...]:
        return self.ancestors


@dataclass(frozen=True)
class Judged(Named, HumanLabels):
    """Images of which people said what they show."""

    counts: tuple[tuple[int, ...], ...] = ()
    truth: tuple[int, ...] = ()

    def ids(self, split: str) -> Sequence[int]:
        return range(len(self.truth))

    def labels(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor(self.truth, dtype=torch.int64)[list(ids)]

    def label_counts(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor(self.counts, dtype=torch.int64)[list(ids)]
