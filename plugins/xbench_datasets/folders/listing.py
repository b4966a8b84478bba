"""Images in folders: which files there are, which folds they fall into, what identifies them."""

import functools
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from xbench import DatasetError, UnknownNameError, decode_photo, generator, photo_size
from xbench_datasets.way_out import option

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
OWN_SPLITS = ("train", "val", "test")
"""Sub-folders with these names hold splits if all sub-folders are of these."""
WHOLE = "all"
"""The split of images in a root without splits of its own."""
SPLITS = (*OWN_SPLITS, WHOLE)
CHEAP = 256 << 20
"""Bytes of all images together up to which their content is hashed."""

Times = tuple[tuple[str, int], ...]
"""When each sub-folder changed."""


class ImageFile(NamedTuple):
    """One image file, with what tells whether it has changed."""

    path: str
    split: str
    folders: tuple[str, ...]
    """Names of the folders below the split that it lies in, the class first."""
    size: int
    changed: int

    @property
    def label(self) -> str:
        """The class."""
        return self.folders[0]


class Folds(NamedTuple):
    """A number of stratified folds, 0 for none, and which of them is the split `test`."""

    folds: int
    fold: int
    seed: int

    def check(self) -> None:
        """Refuse folds that cannot be."""
        if self.folds < 0 or self.folds == 1:
            raise ValueError(f"folds should be 0, or 2 or more, got {self.folds}")
        if not 0 <= self.fold < max(self.folds, 1):
            raise ValueError(f"fold should be from 0 to {max(self.folds, 1) - 1}, got {self.fold}")

    def splits(self, root_splits: Sequence[str]) -> tuple[str, ...]:
        """Train and test with folds, else the root's own splits, else "all"."""
        if self.folds:
            return "train", "test"
        names = set(root_splits)
        return tuple(split for split in SPLITS if split in names)

    def split_of_each(
        self, root_splits: Sequence[str], labels: Sequence[str], root: str, what: str
    ) -> Sequence[str]:
        """The split of each image; `DatasetError` for folds of a root that has own splits."""
        if not self.folds:
            return root_splits
        if any(split != WHOLE for split in root_splits):
            raise DatasetError(f"{what}: {root} has splits of its own; leave folds at 0")
        folds = _dealt(tuple(labels), self.folds, self.seed, what)
        return ["test" if fold == self.fold else "train" for fold in folds]


def existing(root: str, what: str, way_out: str = option("NAME")) -> Path:
    """The root folder; `DatasetError` with the way out if none is named, or if there is none."""
    if not root:
        raise DatasetError(f"{what} needs a folder: {way_out}")
    folder = Path(root).expanduser().absolute()
    if not folder.is_dir():
        raise DatasetError(f"{what}: {folder} is no folder; see {way_out}")
    return folder


def image_entries(root: Path, levels: int, what: str) -> tuple[ImageFile, ...]:
    """All images in class folders, and in sub-folders of these if there are two `levels`.

    Sorted by path; listed anew when a folder has changed. `DatasetError` if there is none,
    or none of some class.
    """
    return _image_entries(root, levels, what, times(root, levels))


def times(root: Path, levels: int) -> Times:
    """When each folder with entries has changed: a key for what follows from them.

    Folders that may hold nothing but images are not looked into, as these may be a million.
    """
    deep = levels + _has_splits(_folders(root))
    folders = [root, *_folders_below(root, deep)]
    return tuple((str(folder), folder.stat().st_mtime_ns) for folder in folders)


def of_split(split: str, splits: Sequence[str], of_each: Sequence[str], root: str) -> list[int]:
    """Places of the split's images; `UnknownNameError` if there is no such split."""
    if split not in splits:
        raise UnknownNameError(f"split of {root}", split, splits)
    return [image for image, name in enumerate(of_each) if name == split]


def images(root: Path, paths: Sequence[str], whats: Sequence[str]) -> list[UInt8[Tensor, "3 _ _"]]:
    """The images in RGB, upright."""
    pairs = zip(paths, whats, strict=True)
    return [decode_photo(root / path, what, upright=True) for path, what in pairs]


def sizes(root: Path, paths: Sequence[str], whats: Sequence[str]) -> list[tuple[int, int]]:
    """Height and width when upright, from the files' headers."""
    pairs = zip(paths, whats, strict=True)
    return [photo_size(root / path, what, upright=True) for path, what in pairs]


@functools.lru_cache(maxsize=8)
def fingerprint(root: Path, entries: tuple[ImageFile, ...]) -> str:
    """A hash of paths and sizes, and of the content up to 256 MiB altogether."""
    digest = hashlib.sha256()
    cheap = sum(entry.size for entry in entries) <= CHEAP
    for entry in entries:
        content = hashlib.sha256((root / entry.path).read_bytes()).hexdigest() if cheap else ""
        digest.update(f"{entry.path} {entry.size} {content}\n".encode())
    return digest.hexdigest()[:32]


def image_files(folder: Path) -> list[os.DirEntry[str]]:
    """The files in a folder that are images by their names."""
    return [file for file in os.scandir(folder) if file.name.lower().endswith(SUFFIXES)]


@functools.lru_cache(maxsize=8)
def _image_entries(root: Path, levels: int, what: str, changed: Times) -> tuple[ImageFile, ...]:
    classes = _folders(root)
    if _has_splits(classes):
        folders = [(split.name, folder) for split in classes for folder in _folders(split)]
    else:
        folders = [(WHOLE, folder) for folder in classes]
    groups = [_class(root, split, folder, levels, what) for split, folder in folders]
    if not groups:
        raise DatasetError(
            f"{what}: {root} should hold one folder of images for each class;"
            f" no image was found (suffixes: {' '.join(SUFFIXES)})"
        )
    return tuple(sorted(entry for entries in groups for entry in entries))


def _has_splits(folders: Sequence[Path]) -> bool:
    """Whether these folders, all in a root, are its own splits."""
    return bool(folders) and all(folder.name in OWN_SPLITS for folder in folders)


def _class(root: Path, split: str, folder: Path, levels: int, what: str) -> list[ImageFile]:
    deep = [folder, *_folders_below(folder, levels - 1)]
    entries = [entry for place in deep for entry in _images(root, split, folder, place)]
    if not entries:
        raise DatasetError(f"{what}: class folder {folder} holds no image")
    return entries


def _images(root: Path, split: str, outer: Path, folder: Path) -> Iterator[ImageFile]:
    names, below = folder.relative_to(outer.parent).parts, folder.relative_to(root).as_posix()
    for file in image_files(folder):
        stat = file.stat()
        yield ImageFile(f"{below}/{file.name}", split, names, stat.st_size, stat.st_mtime_ns)


def _folders_below(parent: Path, levels: int) -> list[Path]:
    """Sub-folders up to so many levels deep."""
    if levels == 0:
        return []
    folders = _folders(parent)
    return [*folders, *(deep for folder in folders for deep in _folders_below(folder, levels - 1))]


def _folders(parent: Path) -> list[Path]:
    folders = (Path(entry.path) for entry in os.scandir(parent) if entry.is_dir())
    return sorted(folder for folder in folders if not folder.name.startswith("."))


@functools.lru_cache(maxsize=8)
def _dealt(labels: tuple[str, ...], folds: int, seed: int, what: str) -> tuple[int, ...]:
    """Deal the shuffled images of each class to the folds, in turn, one class after another."""
    result, dealt = np.zeros(len(labels), np.int64), 0
    for label in sorted(set(labels)):
        members = np.array([image for image, name in enumerate(labels) if name == label])
        if len(members) < folds:
            raise DatasetError(
                f"{what}: class {label!r} has {len(members)} images, too few for {folds} folds"
            )
        order = torch.randperm(len(members), generator=generator("folds", seed, label)).numpy()
        result[members[order]] = (dealt + np.arange(len(members))) % folds
        dealt += len(members)
    return tuple(result.tolist())
