"""Photographs of which nothing is known but what they show."""

import functools
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from jaxtyping import Int64
from torch import Tensor

from xbench import DatasetError, MismatchError, fingerprint, location, photo_size
from xbench_datasets.folders import listing as folder_listing
from xbench_datasets.folders.listing import SUFFIXES, WHOLE, ImageFile, Times
from xbench_datasets.folders.photo_folder import Album, PhotoFolder

WHAT = "dataset 'photographs'"


@dataclass(frozen=True)
class Photographs(PhotoFolder):
    """Your own photographs, without labels: a folder of images of any names, sub-folders included.

    For explanations of what a pretrained network takes them for. Classes are the network's:
    ImageNet's 1 000, or those of a text file with one name a line. The split is `all`; ids are
    places in the sorted list of all images. Photographs are turned upright as their EXIF
    orientation says.
    """

    name: ClassVar[str] = "photographs"
    has_labels: ClassVar[bool] = False

    classes: str = location("")
    """A text file with the names of the network's classes in order; "" for ImageNet's."""

    def album(self) -> Album:
        """All images in the folder and below; `DatasetError` where there are none."""
        root = self.folder()
        return _album(root, _times(root))

    def check(self) -> None:
        """Raise `DatasetError` without images, or where a file is no image by its header."""
        super().check()
        self.class_names()
        _require_images(self.folder(), self.last_album())

    def class_names(self) -> tuple[str, ...]:
        """Those that networks of torchvision carry, or those in the file."""
        from torchvision.models import ResNet18_Weights

        if self.classes:
            return _names_in(Path(self.classes).expanduser())
        return tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """None are known: `MismatchError`."""
        raise MismatchError(
            f"{WHAT} has no labels; where they are needed, put photographs into one folder for "
            "each class, and take the dataset 'folder' or 'imagenet'"
        )

    def image_name(self, image: int, path: str) -> str:
        """A photograph by its path."""
        return path

    def fingerprint(self) -> str:
        """A hash of paths, sizes, contents up to 256 MiB, and names of classes that are given."""
        files = super().fingerprint()
        return fingerprint([files, list(self.class_names())]) if self.classes else files


def _times(root: Path) -> Times:
    """When each folder has changed."""
    return tuple((str(folder), folder.stat().st_mtime_ns) for folder in _folders(root))


def _folders(root: Path) -> Iterator[Path]:
    """The root and all folders below it that are not hidden."""
    for folder, names, _ in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield Path(folder)


@functools.lru_cache(maxsize=8)
def _album(root: Path, changed: Times) -> Album:
    entries = tuple(sorted(entry for folder in _folders(root) for entry in _images(root, folder)))
    if not entries:
        suffixes = " ".join(SUFFIXES)
        raise DatasetError(f"{WHAT}: {root} holds no photograph (suffixes: {suffixes})")
    return Album(entries, entries)


def _images(root: Path, folder: Path) -> Iterator[ImageFile]:
    for file in folder_listing.image_files(folder):
        if not file.name.startswith("."):  # such as the shadows that macOS leaves on other disks
            path, stat = Path(file.path).relative_to(root).as_posix(), file.stat()
            yield ImageFile(path, WHOLE, (), stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _require_images(root: Path, album: Album) -> None:
    """Raise `DatasetError` with the name of the first file whose header is no image's."""
    for entry in album.entries:
        photo_size(root / entry.path, f"{WHAT}, {entry.path}")


def _names_in(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{WHAT}: class names {path} cannot be read: {error}") from error
    names = tuple(line.strip() for line in lines if line.strip())
    if not names or len(set(names)) < len(names):
        raise DatasetError(f"{WHAT}: {path} should hold different names of classes, one a line")
    return names
