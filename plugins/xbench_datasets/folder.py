"""Folders of images: one sub-folder for each class."""

import functools
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from xbench import photos
from xbench.dataset import Dataset
from xbench.errors import DatasetError, UnknownNameError
from xbench.randomness import generator

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
OWN_SPLITS = ("train", "val", "test")
"""Sub-folders with these names hold splits if all sub-folders are of these."""
CHEAP = 256 << 20
"""Bytes of all images together up to which their content is hashed."""


Times = tuple[tuple[str, int], ...]
"""When each sub-folder changed."""


class Entry(NamedTuple):
    """One image file, with what tells whether it has changed."""

    path: str
    split: str
    label: str
    size: int
    changed: int


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
        if self.folds < 0 or self.folds == 1:
            raise ValueError(f"folds should be 0, or 2 or more, got {self.folds}")
        if not 0 <= self.fold < max(self.folds, 1):
            raise ValueError(f"fold should be from 0 to {max(self.folds, 1) - 1}, got {self.fold}")

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
        return _fingerprint(self._root(), self._entries())

    def class_names(self) -> tuple[str, ...]:
        """The sub-folders' names, sorted."""
        return tuple(sorted({entry.label for entry in self._entries()}))

    def splits(self) -> tuple[str, ...]:
        """Train and test with folds, else the root's own splits, else "all"."""
        if self.folds:
            return "train", "test"
        found = {entry.split for entry in self._entries()}
        return tuple(split for split in (*OWN_SPLITS, "all") if split in found)

    def ids(self, split: str) -> Sequence[int]:
        """Places of the split's images in the sorted list of all."""
        if split not in self.splits():
            raise UnknownNameError(f"split of {self.root}", split, self.splits())
        return [image for image, own in enumerate(self._split_of_each()) if own == split]

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The place of each image's class in `class_names`."""
        entries, places = self._entries(), {n: i for i, n in enumerate(self.class_names())}
        return torch.tensor([places[entries[image].label] for image in ids], dtype=torch.int64)

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images in RGB, upright."""
        return [photos.decode(path, what, upright=True) for path, what in self._photos(ids)]

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Height and width when upright, from the files' headers."""
        return [photos.size(path, what, upright=True) for path, what in self._photos(ids)]

    def _root(self) -> Path:
        if not self.root:
            raise DatasetError("dataset 'folder' needs a folder: -p dataset.root=FOLDER")
        root = Path(self.root).expanduser().absolute()
        if not root.is_dir():
            raise DatasetError(f"dataset 'folder': {root} is no folder; see -p dataset.root=FOLDER")
        return root

    def _entries(self) -> tuple[Entry, ...]:
        root = self._root()
        return _listed(root, _times(root))

    def _photos(self, ids: Sequence[int]) -> list[tuple[Path, str]]:
        root, entries = self._root(), self._entries()
        return [(root / entries[image].path, f"dataset 'folder', image {image}") for image in ids]

    def _split_of_each(self) -> Sequence[str]:
        entries = self._entries()
        if not self.folds:
            return [entry.split for entry in entries]
        if any(entry.split != "all" for entry in entries):
            raise DatasetError(
                f"dataset 'folder': {self.root} has splits of its own; leave folds at 0"
            )
        folds = _folds(tuple(entry.label for entry in entries), self.folds, self.seed)
        return ["test" if fold == self.fold else "train" for fold in folds]


def _times(root: Path) -> Times:
    """When each sub-folder, two levels deep, last changed; files are listed anew if one did."""
    inner = [root, *_folders(root), *(deep for outer in _folders(root) for deep in _folders(outer))]
    return tuple((str(folder), folder.stat().st_mtime_ns) for folder in inner)


@functools.lru_cache(maxsize=8)
def _listed(root: Path, times: Times) -> tuple[Entry, ...]:
    classes = _folders(root)
    if classes and all(folder.name in OWN_SPLITS for folder in classes):
        named = [(split.name, folder) for split in classes for folder in _folders(split)]
    else:
        named = [("all", folder) for folder in classes]
    entries = [entry for split, folder in named for entry in _images(root, split, folder)]
    if not entries:
        raise DatasetError(
            f"dataset 'folder': {root} should hold one folder of images for each class;"
            f" no image was found (suffixes: {' '.join(SUFFIXES)})"
        )
    return tuple(sorted(entries))


def _images(root: Path, split: str, folder: Path) -> list[Entry]:
    files = [file for file in os.scandir(folder) if file.name.lower().endswith(SUFFIXES)]
    if not files:
        raise DatasetError(f"dataset 'folder': class folder {folder} holds no image")
    stats = [(Path(file.path).relative_to(root).as_posix(), file.stat()) for file in files]
    return [Entry(path, split, folder.name, s.st_size, s.st_mtime_ns) for path, s in stats]


def _folders(parent: Path) -> list[Path]:
    found = (Path(entry.path) for entry in os.scandir(parent) if entry.is_dir())
    return sorted(folder for folder in found if not folder.name.startswith("."))


@functools.lru_cache(maxsize=8)
def _folds(labels: tuple[str, ...], folds: int, seed: int) -> tuple[int, ...]:
    """Deal the shuffled images of each class to the folds, in turn, one class after another."""
    result, dealt = np.zeros(len(labels), np.int64), 0
    for label in sorted(set(labels)):
        members = np.array([image for image, own in enumerate(labels) if own == label])
        if len(members) < folds:
            raise DatasetError(
                f"dataset 'folder': class {label!r} has {len(members)} images, too few for"
                f" {folds} folds"
            )
        order = torch.randperm(len(members), generator=generator("folds", seed, label)).numpy()
        result[members[order]] = (dealt + np.arange(len(members))) % folds
        dealt += len(members)
    return tuple(result.tolist())


@functools.lru_cache(maxsize=8)
def _fingerprint(root: Path, entries: tuple[Entry, ...]) -> str:
    whole = hashlib.sha256()
    cheap = sum(entry.size for entry in entries) <= CHEAP
    for entry in entries:
        content = hashlib.sha256((root / entry.path).read_bytes()).hexdigest() if cheap else ""
        whole.update(f"{entry.path} {entry.size} {content}\n".encode())
    return whole.hexdigest()[:32]
