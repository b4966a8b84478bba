"""CINIC-10: CIFAR-10's ten classes, with small photographs from ImageNet beside CIFAR-10's own."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

from xbench import DatasetError, Download, data_home
from xbench_datasets.cifar.names import CIFAR10
from xbench_datasets.downloads import put_into
from xbench_datasets.folders import listing as folder_listing
from xbench_datasets.folders.listing import ImageFile, Times
from xbench_datasets.folders.photo_folder import Album, PhotoFolder
from xbench_datasets.way_out import option

WHAT = "dataset 'cinic10'"
SPLITS = ("train", "valid", "test")
ORIGINS = {"cifar": re.compile(r"cifar10-(train|test)-\d+\.png"), "imagenet": re.compile(r"n\d.*")}
"""What names of files look like, by where the image is from."""
ARCHIVE = Download(
    url="https://datashare.ed.ac.uk/bitstream/handle/10283/3192/CINIC-10.tar.gz",
    size=687544992,
    checksum="md5:6ee4d0c996905fe93221de577967a372",
    target="cinic10",
    licence="CC BY 4.0; the photographs belong to their owners",
    homepage="https://doi.org/10.7488/ds/2448",
    most_members=300_000,
    most_bytes=2 << 30,
)
WAY_OUT = f"`xbench data get cinic10` fetches it; {option('cinic10')} says where a copy is."


@dataclass(frozen=True)
class Cinic10(PhotoFolder):
    """Images of CIFAR-10's classes, most of them from ImageNet.

    `root/{train,valid,test}/airplane/*.png` and so on.
    """

    name: ClassVar[str] = "cinic10"

    part: Literal["all", "imagenet", "cifar"] = "all"
    """Images from ImageNet alone, or from CIFAR-10 alone, as their names tell."""

    def album(self) -> Album:
        """The images of the part."""
        folder = self.folder()
        return _album(folder, self.part, _times(folder))

    def folder(self) -> Path:
        """The folder with the splits, whether `root` is that one or holds it."""
        root = Path(self.root).expanduser() if self.root else data_home() / ARCHIVE.target
        nested = root / "CINIC-10"
        return (nested if nested.is_dir() and not (root / SPLITS[0]).is_dir() else root).absolute()

    def image_name(self, image: int, path: str) -> str:
        """An image by its path."""
        return path

    def downloads(self) -> tuple[Download, ...]:
        """The official archive, unpacked to `root`."""
        return (put_into(ARCHIVE, self.root),)

    def class_names(self) -> tuple[str, ...]:
        """Those of CIFAR-10, which are in the order of the alphabet."""
        return CIFAR10

    def splits(self) -> tuple[str, ...]:
        """The official ones."""
        return SPLITS


def _times(folder: Path) -> Times:
    """When each class folder has changed; `DatasetError` names the first that is missing."""
    folders = [folder / split / name for split in SPLITS for name in CIFAR10]
    for place in folders:
        if not place.is_dir():
            raise DatasetError(f"{WHAT}: {place} is not there. {WAY_OUT}")
    return tuple((str(place), place.stat().st_mtime_ns) for place in folders)


@functools.lru_cache(maxsize=4)
def _album(folder: Path, part: str, changed: Times) -> Album:
    entries = tuple(
        sorted(
            entry
            for split in SPLITS
            for name in CIFAR10
            for entry in _entries(folder, split, name)
            if part == "all" or part == _origin(folder, entry)
        )
    )
    for split in SPLITS:
        if classes := set(CIFAR10) - {entry.label for entry in entries if entry.split == split}:
            raise DatasetError(
                f"{WHAT}: {folder / split / min(classes)} holds no image"
                + (f" of part {part!r}" if part != "all" else "")
                + f". {WAY_OUT}"
            )
    return Album(entries, entries)


def _entries(folder: Path, split: str, name: str) -> Iterator[ImageFile]:
    for file in folder_listing.image_files(folder / split / name):
        stat = file.stat()
        path = f"{split}/{name}/{file.name}"
        yield ImageFile(path, split, (name,), stat.st_size, stat.st_mtime_ns)


def _origin(folder: Path, entry: ImageFile) -> str:
    """Where the image is from, by its file's name."""
    for origin, form in ORIGINS.items():
        if form.fullmatch(PurePosixPath(entry.path).name):
            return origin
    raise DatasetError(
        f"{WHAT}: {folder / entry.path} is named neither as an image of CIFAR-10"
        " (cifar10-train-1.png) nor as one of ImageNet (n02691156_1.png)"
    )
