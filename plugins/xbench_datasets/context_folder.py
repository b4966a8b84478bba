"""Folders of images in contexts: one sub-folder for each class, one in it for each context."""

import filecmp
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from xbench import photos
from xbench.annotation import Contexts
from xbench.dataset import Dataset
from xbench_datasets import folder_listing
from xbench_datasets.folder_listing import Entry, Folds, Times

WHAT = "dataset 'context-folder'"
LEVELS = 2
"""Classes and contexts."""


class Shot(NamedTuple):
    """One image, and all contexts it lies in."""

    path: str
    split: str
    label: str
    contexts: tuple[str, ...]


@dataclass(frozen=True)
class ContextFolder(Dataset, Contexts):
    """`root/class/context/*.jpg`, or `root/split/class/context/*.jpg`.

    A file in several contexts of a class, with one name and one content, is one image in
    several contexts; an image in a class folder itself is in none. Ids are places in the
    sorted list of all images.
    """

    name: ClassVar[str] = "context-folder"

    root: str = ""
    folds: int = 0
    """Number of stratified folds; 0 for none."""
    fold: int = 0
    """Which fold is the split `test`; the others are `train`."""
    seed: int = 0
    """Of the shuffle before images are dealt to folds."""

    def __post_init__(self) -> None:
        """Refuse folds that cannot be."""
        self._folds().check()

    def check(self) -> None:
        """Raise `DatasetError` without a folder, classes and images."""
        self._split_of_each()

    def verify(self) -> list[str]:
        """Every image that does not decode."""
        if lines := super().verify():
            return lines
        return photos.damaged([self._root() / shot.path for shot in self._shots()])

    def fingerprint(self) -> str:
        """A hash of paths and sizes, and of the content up to 256 MiB altogether."""
        return folder_listing.fingerprint(self._root(), self._entries())

    def class_names(self) -> tuple[str, ...]:
        """The class folders' names, sorted."""
        return tuple(sorted({shot.label for shot in self._shots()}))

    def splits(self) -> tuple[str, ...]:
        """Train and test with folds, else the root's own splits, else "all"."""
        return self._folds().splits([shot.split for shot in self._shots()])

    def ids(self, split: str) -> Sequence[int]:
        """Places of the split's images in the sorted list of all."""
        return folder_listing.of_split(split, self.splits(), self._split_of_each(), self.root)

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The place of each image's class in `class_names`."""
        shots, places = self._shots(), {n: i for i, n in enumerate(self.class_names())}
        return torch.tensor([places[shots[image].label] for image in ids], dtype=torch.int64)

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images in RGB, upright."""
        return folder_listing.images(self._root(), *self._photos(ids))

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Height and width when upright, from the files' headers."""
        return folder_listing.sizes(self._root(), *self._photos(ids))

    def context_names(self) -> tuple[str, ...]:
        """The names of all context folders, sorted; classes may share contexts."""
        return tuple(sorted({name for shot in self._shots() for name in shot.contexts}))

    def contexts(self, ids: Sequence[int]) -> Bool[Tensor, "n contexts"]:
        """Which context folders each image lies in."""
        shots, places = self._shots(), {n: i for i, n in enumerate(self.context_names())}
        shown = torch.zeros(len(ids), len(places), dtype=torch.bool)
        for row, image in enumerate(ids):
            shown[row, [places[name] for name in shots[image].contexts]] = True
        return shown

    def _root(self) -> Path:
        return folder_listing.existing(self.root, WHAT)

    def _folds(self) -> Folds:
        return Folds(self.folds, self.fold, self.seed)

    def _entries(self) -> tuple[Entry, ...]:
        return folder_listing.listed(self._root(), LEVELS, WHAT)

    def _shots(self) -> tuple[Shot, ...]:
        root = self._root()
        return _joined(root, folder_listing.times(root, LEVELS))

    def _photos(self, ids: Sequence[int]) -> tuple[list[str], list[str]]:
        shots = self._shots()
        return [shots[image].path for image in ids], [f"{WHAT}, image {image}" for image in ids]

    def _split_of_each(self) -> Sequence[str]:
        shots = self._shots()
        own, labels = [shot.split for shot in shots], [shot.label for shot in shots]
        return self._folds().split_of_each(own, labels, self.root, WHAT)


@functools.lru_cache(maxsize=8)
def _joined(root: Path, changed: Times) -> tuple[Shot, ...]:
    """One item for each image, sorted by the first of its paths."""
    alike: dict[tuple[str, str, str, int], list[Entry]] = {}
    for entry in folder_listing.listed(root, LEVELS, WHAT):
        key = (entry.split, entry.label, PurePosixPath(entry.path).name, entry.size)
        alike.setdefault(key, []).append(entry)
    groups = (group for entries in alike.values() for group in _same(root, entries))
    return tuple(sorted(map(_shot, groups)))


def _same(root: Path, entries: Iterable[Entry]) -> list[list[Entry]]:
    """Entries of one name and size, put together where their content is the same."""
    groups: list[list[Entry]] = []
    for entry in entries:
        equal = (
            group
            for group in groups
            if filecmp.cmp(root / group[0].path, root / entry.path, shallow=False)
        )
        if (group := next(equal, None)) is None:
            groups.append([entry])
        else:
            group.append(entry)
    return groups


def _shot(group: Sequence[Entry]) -> Shot:
    contexts = tuple(sorted({name for entry in group for name in entry.folders[1:]}))
    return Shot(group[0].path, group[0].split, group[0].label, contexts)
