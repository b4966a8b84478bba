"""Folders of images: one sub-folder for each class."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from xbench import photos
from xbench.dataset import Dataset
from xbench_datasets import folder_listing
from xbench_datasets.folder_listing import Entry, Folds

WHAT = "dataset 'folder'"


@dataclass(frozen=True)
class Folder(Dataset):
    """`root/class/*.jpg`, or `root/split/class/*.jpg` with the splits train, val and test.

    Ids are places in the sorted list of all images. Photographs are turned upright as
    their EXIF orientation says.
    """

    name: ClassVar[str] = "folder"

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
        return photos.damaged([self._root() / entry.path for entry in self._entries()])

    def fingerprint(self) -> str:
        """A hash of paths and sizes, and of the content up to 256 MiB altogether."""
        return folder_listing.fingerprint(self._root(), self._entries())

    def class_names(self) -> tuple[str, ...]:
        """The sub-folders' names, sorted."""
        return tuple(sorted({entry.label for entry in self._entries()}))

    def splits(self) -> tuple[str, ...]:
        """Train and test with folds, else the root's own splits, else "all"."""
        return self._folds().splits([entry.split for entry in self._entries()])

    def ids(self, split: str) -> Sequence[int]:
        """Places of the split's images in the sorted list of all."""
        return folder_listing.of_split(split, self.splits(), self._split_of_each(), self.root)

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The place of each image's class in `class_names`."""
        entries, places = self._entries(), {n: i for i, n in enumerate(self.class_names())}
        return torch.tensor([places[entries[image].label] for image in ids], dtype=torch.int64)

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images in RGB, upright."""
        return folder_listing.images(self._root(), *self._photos(ids))

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Height and width when upright, from the files' headers."""
        return folder_listing.sizes(self._root(), *self._photos(ids))

    def _root(self) -> Path:
        return folder_listing.existing(self.root, WHAT)

    def _folds(self) -> Folds:
        return Folds(self.folds, self.fold, self.seed)

    def _entries(self) -> tuple[Entry, ...]:
        return folder_listing.listed(self._root(), 1, WHAT)

    def _photos(self, ids: Sequence[int]) -> tuple[list[str], list[str]]:
        entries = self._entries()
        return [entries[i].path for i in ids], [f"{WHAT}, image {image}" for image in ids]

    def _split_of_each(self) -> Sequence[str]:
        entries = self._entries()
        own, labels = [entry.split for entry in entries], [entry.label for entry in entries]
        return self._folds().split_of_each(own, labels, self.root, WHAT)
