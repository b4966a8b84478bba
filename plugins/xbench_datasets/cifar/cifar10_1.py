"""CIFAR-10.1: a new test set for classifiers that were trained on CIFAR-10."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Int64

from xbench import DatasetError, Download
from xbench_datasets.cifar.arrays import read_array
from xbench_datasets.cifar.names import CIFAR10
from xbench_datasets.downloads import put_into
from xbench_datasets.picture_table import Numbered, PictureTable, Stack, numbered, state
from xbench_datasets.way_out import option

WHAT = "dataset 'cifar10.1'"
SHAPE = (32, 32, 3)
COUNTS = {"v4": 2021, "v6": 2000}
FILES = {
    "cifar10.1_v4_data.npy": (
        6208640,
        "5aaedc268df8f4cffca2ac0cf9e608ae1897a8cddb630c7a850a2ea8f6558e75",
    ),
    "cifar10.1_v4_labels.npy": (
        8212,
        "1f9544300ded199539b6662364ce7fe6c2e1ea9f87408f06db4b1a6184cffb18",
    ),
    "cifar10.1_v6_data.npy": (
        6144128,
        "2997188e5816f5bd545dc77771b6227828c28146049fcecf3fa10775474cacc6",
    ),
    "cifar10.1_v6_labels.npy": (
        8128,
        "ae40beda001693674edc94d925ee8268cfe68905f8f9aff800c8dcdfcd6c9448",
    ),
}
"""Size in bytes and SHA-256 of the official files."""
HOMEPAGE = "https://github.com/modestyachts/CIFAR-10.1"
WAY_OUT = f"`xbench data get cifar10.1` fetches it; {option('cifar10.1')} says where a copy is."


class Content(NamedTuple):
    """What is in the two files of an edition."""

    images: Stack
    labels: Int64[np.ndarray, " n"]


@dataclass(frozen=True)
class Cifar101(PictureTable):
    """A second test set for CIFAR-10, collected later in the same way.

    The official files `cifar10.1_v6_data.npy` and `…_labels.npy`, or those of v4. The one split
    is `test`. Classes are CIFAR-10's, by name and order.
    """

    name: ClassVar[str] = "cifar10.1"

    edition: Literal["v6", "v4"] = "v6"
    """v6 has 200 images of each class and is what the authors recommend; v4 has 2 021 in all."""

    def check(self) -> None:
        """Raise `DatasetError` where a file is missing, or holds something else."""
        self._content()

    def downloads(self) -> tuple[Download, ...]:
        """Both files of the edition, from the authors' repository."""
        files = [file for file in FILES if self.edition in file]
        return tuple(put_into(_download(file), self.root) for file in files)

    def class_names(self) -> tuple[str, ...]:
        """Those of CIFAR-10."""
        return CIFAR10

    def splits(self) -> tuple[str, ...]:
        """The one there is."""
        return ("test",)

    def pictures(self, split: str) -> Stack:
        """The images."""
        return self._content().images

    def numbers(self, split: str) -> Numbered:
        """Places in the files, and labels."""
        return numbered(0, self._content().labels)

    def changed(self) -> tuple[tuple[str, int, int], ...]:
        """Path, size in bytes and time of change of both files."""
        return state(self._files())

    def _content(self) -> Content:
        return _content(self.edition, self.changed())

    def _files(self) -> list[Path]:
        files = [self.folder() / name for name in FILES if self.edition in name]
        for file in files:
            if not file.is_file():
                raise DatasetError(f"{WHAT}: {file} is not there. {WAY_OUT}")
        return files


@functools.lru_cache(maxsize=4)
def _content(edition: str, changed: tuple[tuple[str, int, int], ...]) -> Content:
    (data, _, _), (names, _, _) = changed
    count = COUNTS[edition]
    images = _array(Path(data), "uint8", (count, *SHAPE))
    labels = _array(Path(names), "int32", (count,))
    if labels.min() < 0 or labels.max() >= len(CIFAR10):
        raise DatasetError(f"{WHAT}: {names} has labels beyond 0 to {len(CIFAR10) - 1}. {WAY_OUT}")
    return Content(Stack(images), labels.astype(np.int64))


def _array(file: Path, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """The array in a file, which stays there and is read where it is used."""
    array = read_array(file, WHAT, WAY_OUT, mmap_mode="r")
    if not isinstance(array, np.ndarray) or (array.shape, array.dtype) != (shape, dtype):
        content = f"{array.dtype} of shape {array.shape}" if hasattr(array, "shape") else "archive"
        raise DatasetError(
            f"{WHAT}: {file} should hold {dtype} of shape {shape}, found {content}. {WAY_OUT}"
        )
    return array


def _download(file: str) -> Download:
    size, digest = FILES[file]
    return Download(
        url=f"https://raw.githubusercontent.com/modestyachts/CIFAR-10.1/master/datasets/{file}",
        size=size,
        checksum=f"sha256:{digest}",
        target="cifar10.1",
        licence="as Tiny Images: none is stated; the photographs belong to their owners",
        homepage=HOMEPAGE,
        archive=False,
    )
