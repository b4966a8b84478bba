"""ImageNet: photographs of the 1 000 classes of ILSVRC 2012."""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from xbench import DatasetError, fingerprint
from xbench_datasets.folders.listing import ImageFile, Times
from xbench_datasets.folders.photo_folder import Album, PhotoFolder
from xbench_datasets.imagenet import layouts
from xbench_datasets.imagenet.layouts import WORDNET_ID
from xbench_datasets.missing_files import first_names

WHAT = "dataset 'imagenet'"
CLASSES = 1000
DIGEST = "385e0240499426c022b773be1ae4da780f057b89c9694c7f47199f62746b6edd"
"""SHA-256 of the 1 000 WordNet ids, sorted, one a line."""


@dataclass(frozen=True)
class Imagenet(PhotoFolder):
    """ImageNet, or a sample of it: a folder for each class, named by its WordNet id.

    Classes are in the order of these ids. `root/n01440764/*.JPEG`, `root/val/n01440764/*.JPEG`
    (and `root/train`), or photographs without folders, `root/n01440764_*.jpg`; or the official
    validation images as they come, with the official devkit. Ids are places in the sorted list
    of all images.
    """

    name: ClassVar[str] = "imagenet"

    def album(self) -> Album:
        """All images; `DatasetError` unless there are some of all 1 000 classes."""
        root = self.folder()
        return _album(root, layouts.times(root))

    def image_name(self, image: int, path: str) -> str:
        """An image by its path, which tells its class."""
        return path

    def fingerprint(self) -> str:
        """A hash of paths, sizes, contents up to 256 MiB, and labels that paths do not tell."""
        files = super().fingerprint()
        labels = [
            entry.label for entry in self.last_album().entries if entry.label not in entry.path
        ]
        return fingerprint({"files": files, "labels": labels}) if labels else files

    def class_names(self) -> tuple[str, ...]:
        """The names that networks of torchvision carry, no two of which are the same."""
        from torchvision.models import ResNet18_Weights

        return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])

    def wordnet_ids(self) -> tuple[str, ...]:
        """The WordNet id of each class, such as n01440764."""
        return self.last_album().classes


@functools.lru_cache(maxsize=8)
def _album(root: Path, changed: Times) -> Album:
    entries = _entries(root)
    return Album(entries, entries)


def _entries(root: Path) -> tuple[ImageFile, ...]:
    entries = layouts.photographs(root, WHAT)
    _require_all_classes(root, {entry.label for entry in entries})
    return entries


def _require_all_classes(root: Path, names: set[str]) -> None:
    ids = {name for name in names if WORDNET_ID.fullmatch(name)}
    others = sorted(names - ids)
    if others:
        shown = first_names(others)
        raise DatasetError(
            f"{WHAT}: {root} has {len(others)} folders that are no WordNet ids ({shown});"
            " expected one folder for each class, such as n01440764"
        )
    if len(ids) != CLASSES:
        raise DatasetError(
            f"{WHAT}: {root} has images of {len(ids)} classes, expected all {CLASSES};"
            " for some of them only, use the dataset 'folder'"
        )
    if hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest() != DIGEST:
        raise DatasetError(
            f"{WHAT}: {root} has {CLASSES} folders, but they are not the classes of ILSVRC 2012"
        )
