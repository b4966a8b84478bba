"""ImageNet: photographs of the 1 000 classes of ILSVRC 2012."""

import functools
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from xbench import photos
from xbench.dataset import Dataset
from xbench.errors import DatasetError
from xbench_datasets import folder_listing
from xbench_datasets.folder_listing import WHOLE, Entry, Times

WHAT = "dataset 'imagenet'"
CLASSES = 1000
WORDNET_ID = re.compile(r"n\d{8}")
DIGEST = "385e0240499426c022b773be1ae4da780f057b89c9694c7f47199f62746b6edd"
"""SHA-256 of the 1 000 WordNet ids, sorted, one a line."""
SHOWN = 3
"""How many names a message shows."""


@dataclass(frozen=True)
class Imagenet(Dataset):
    """One folder for each class, named by its WordNet id; classes in the order of these ids.

    `root/n01440764/*.JPEG`, `root/val/n01440764/*.JPEG` (and `root/train`), or photographs
    without folders, `root/n01440764_*.jpg`. Ids are places in the sorted list of all images.
    """

    name: ClassVar[str] = "imagenet"

    root: str = ""

    def check(self) -> None:
        """Raise `DatasetError` unless there are images of all 1 000 classes."""
        self._entries()

    def verify(self) -> list[str]:
        """Every image that does not decode."""
        if lines := super().verify():
            return lines
        return photos.damaged([self._root() / entry.path for entry in self._entries()])

    def fingerprint(self) -> str:
        """A hash of paths and sizes, and of the content up to 256 MiB altogether."""
        return folder_listing.fingerprint(self._root(), self._entries())

    def class_names(self) -> tuple[str, ...]:
        """The names that networks of torchvision carry, no two of which are the same."""
        from torchvision.models import ResNet18_Weights

        return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])

    def splits(self) -> tuple[str, ...]:
        """The root's own splits; "val" where it has none."""
        found = {entry.split for entry in self._entries()}
        return tuple(split for split in folder_listing.OWN_SPLITS if split in found)

    def ids(self, split: str) -> Sequence[int]:
        """Places of the split's images in the sorted list of all."""
        own = [entry.split for entry in self._entries()]
        return folder_listing.of_split(split, self.splits(), own, self.root)

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The place of each image's WordNet id among the 1 000, sorted."""
        entries = self._entries()
        places = {name: i for i, name in enumerate(sorted({entry.label for entry in entries}))}
        return torch.tensor([places[entries[image].label] for image in ids], dtype=torch.int64)

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images in RGB, upright."""
        return folder_listing.images(self._root(), *self._photos(ids))

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Height and width when upright, from the files' headers."""
        return folder_listing.sizes(self._root(), *self._photos(ids))

    def _root(self) -> Path:
        return folder_listing.existing(self.root, WHAT)

    def _entries(self) -> tuple[Entry, ...]:
        root = self._root()
        return _entries(root, folder_listing.times(root, 1))

    def _photos(self, ids: Sequence[int]) -> tuple[list[str], list[str]]:
        entries = self._entries()
        paths = [entries[image].path for image in ids]
        return paths, [f"{WHAT}, {path}" for path in paths]


@functools.lru_cache(maxsize=8)
def _entries(root: Path, changed: Times) -> tuple[Entry, ...]:
    """All images, as they lie in folders or without; "all" is the split "val"."""
    entries = _without_folders(root) or folder_listing.listed(root, 1, WHAT)
    _require_all_classes(root, {entry.label for entry in entries})
    return tuple(e._replace(split="val") if e.split == WHOLE else e for e in entries)


def _without_folders(root: Path) -> tuple[Entry, ...]:
    found = [(WORDNET_ID.match(file.name), file) for file in folder_listing.image_files(root)]
    entries = (
        Entry(file.name, WHOLE, (name[0],), file.stat().st_size, file.stat().st_mtime_ns)
        for name, file in found
        if name
    )
    return tuple(sorted(entries))


def _require_all_classes(root: Path, found: set[str]) -> None:
    known = {name for name in found if WORDNET_ID.fullmatch(name)}
    others = sorted(found - known)
    if others:
        shown = ", ".join(others[:SHOWN]) + (", …" if len(others) > SHOWN else "")
        raise DatasetError(
            f"{WHAT}: {root} has {len(others)} folders that are no WordNet ids ({shown});"
            " expected one folder for each class, such as n01440764"
        )
    if len(known) != CLASSES:
        raise DatasetError(
            f"{WHAT}: {root} has images of {len(known)} classes, expected all {CLASSES};"
            " for some of them only, use the dataset 'folder'"
        )
    if hashlib.sha256("\n".join(sorted(known)).encode()).hexdigest() != DIGEST:
        raise DatasetError(
            f"{WHAT}: {root} has {CLASSES} folders, but they are not the classes of ILSVRC 2012"
        )
