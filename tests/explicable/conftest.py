"""Datasets of nothing but class names, and what people said of them."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from xbench import ClassHierarchy, Dataset, HumanLabels


@dataclass(frozen=True)
class Named(Dataset):
    """Classes without images."""

    name: ClassVar[str] = "named"

    names: tuple[str, ...]

    def check(self):
        """Nothing can be missing."""

    def fingerprint(self):
        return "-".join(self.names)

    def class_names(self):
        return self.names

    def splits(self):
        return ("test",)

    def ids(self, split):
        return range(0)

    def labels(self, ids):
        return torch.zeros(len(ids), dtype=torch.int64)

    def images(self, ids):
        return torch.zeros(len(ids), 3, 4, 4, dtype=torch.uint8)


@dataclass(frozen=True)
class Treed(Named, ClassHierarchy):
    """Classes below a tree."""

    ancestors: tuple[tuple[str, ...], ...] = ()

    def class_ancestors(self):
        return self.ancestors


@dataclass(frozen=True)
class Judged(Named, HumanLabels):
    """Images of which people said what they show."""

    counts: tuple[tuple[int, ...], ...] = ()
    truth: tuple[int, ...] = ()

    def ids(self, split):
        return range(len(self.truth))

    def labels(self, ids):
        return torch.tensor(self.truth, dtype=torch.int64)[list(ids)]

    def label_counts(self, ids):
        return torch.tensor(self.counts, dtype=torch.int64)[list(ids)]


@pytest.fixture
def named():
    """Makes a dataset with these class names."""
    return lambda *names: Named(tuple(names))


@pytest.fixture
def treed():
    """Makes a dataset whose classes have these ancestors, nearest first."""
    return lambda ancestors: Treed(
        tuple(ancestors), ancestors=tuple(map(tuple, ancestors.values()))
    )


@pytest.fixture
def judged():
    """Makes a dataset of these counts and labels."""
    return lambda names, counts, truth: Judged(
        tuple(names), counts=tuple(map(tuple, counts)), truth=tuple(truth)
    )
