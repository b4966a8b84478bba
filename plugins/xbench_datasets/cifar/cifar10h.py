"""CIFAR10H: what some fifty people each took the test images of CIFAR-10 for."""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from xbench import (
    DatasetError,
    DerivedDataset,
    Download,
    HumanLabels,
    UnknownNameError,
    data_home,
    fingerprint,
    location,
)
from xbench_datasets.cifar.arrays import read_array
from xbench_datasets.way_out import option

WHAT = "dataset 'cifar10h'"
IMAGES, CLASSES = 10_000, 10
LEAST = 0.95
"""Share of images whose label most people must have chosen; in the official order it is 0.992."""
COUNTS = Download(
    url="https://raw.githubusercontent.com/jcpeterson/cifar-10h/master/data/cifar10h-counts.npy",
    size=800128,
    checksum="sha256:9b36b4550349af56c79083356312eb4af856cc5fd3caf1f669d40b9d0bbb69ff",
    target="cifar10h",
    licence="CC BY-NC-SA 4.0",
    homepage="https://github.com/jcpeterson/cifar-10h",
    archive=False,
)
WAY_OUT = (
    f"`xbench data get cifar10h -p dataset.of=cifar10` fetches {COUNTS.filename};"
    f" {option('cifar10h', 'counts', 'FILE')} says where it is."
)


@dataclass(frozen=True)
class Cifar10h(DerivedDataset, HumanLabels):
    """The test images of CIFAR-10, and how many people chose each class for each of them.

    Its one split is `test`; ids, images and labels are those of the dataset `of`, which has
    the 10 000 test images in their official order.
    """

    name: ClassVar[str] = "cifar10h"

    counts: str = location("")
    """The file `cifar10h-counts.npy`; "" for the data folder's."""
    split: str = "test"
    """The split of `of` with the test images."""

    def check(self) -> None:
        """Raise `DatasetError` where counts are missing or wrong, or belong to other images."""
        self.of.check()
        self._judged()

    def downloads(self) -> tuple[Download, ...]:
        """Those of the images, and the counts from the authors' repository."""
        return self.of.downloads() if self.counts else (*self.of.downloads(), COUNTS)

    def fingerprint(self) -> str:
        """A hash of the images' dataset, its split and the counts."""
        digest = self._judged().digest
        return fingerprint({"of": self.of.fingerprint(), "split": self.split, "counts": digest})

    def splits(self) -> tuple[str, ...]:
        """The test images alone."""
        return ("test",)

    def ids(self, split: str) -> Sequence[int]:
        """The ids that the images have in `of`."""
        if split not in self.splits():
            raise UnknownNameError(f"split of {self.name}", split, self.splits())
        return self.of.ids(self.split)

    def label_counts(self, ids: Sequence[int]) -> Int64[Tensor, "n 10"]:
        """How many people chose each class: 47 to 63 for an image, about 51 of them."""
        counts = self._judged().counts
        places = {image: place for place, image in enumerate(self.ids("test"))}
        unknown = [image for image in ids if image not in places]
        if unknown:
            raise DatasetError(
                f"{WHAT}: image {unknown[0]} is not in split {self.split!r} of {self.of.name!r};"
                " people were shown only those"
            )
        return counts[[places[image] for image in ids]]

    def _judged(self) -> "Judged":
        default = data_home() / COUNTS.target / COUNTS.filename
        file = Path(self.counts).expanduser().absolute() if self.counts else default
        if not file.is_file():
            raise DatasetError(f"{WHAT}: {file} is not there. {WAY_OUT}")
        return _agreeing(self, file, file.stat().st_mtime_ns)


class Judged(NamedTuple):
    """What people said."""

    counts: Int64[Tensor, "images 10"]
    digest: str
    """A hash of them."""


@functools.lru_cache(maxsize=4)
def _agreeing(dataset: Cifar10h, file: Path, changed: int) -> Judged:
    """The counts, if they are of the dataset's images in their order."""
    counts, of = _read(file), dataset.of
    labels = of.labels(of.ids(dataset.split))
    classes = len(of.class_names())
    if (len(labels), classes) != (IMAGES, CLASSES):
        raise DatasetError(
            f"{WHAT}: split {dataset.split!r} of {of.name!r} has {len(labels)} images of"
            f" {classes} classes; the counts are of {IMAGES} images of {CLASSES}"
        )
    agreement = float((counts.argmax(1) == labels).double().mean())
    if agreement < LEAST:
        raise DatasetError(
            f"{WHAT}: in {file} most people chose the label of only {agreement:.1%} of the images"
            f" in split {dataset.split!r} of {of.name!r}, in the official order of 99.2%;"
            " images or classes are in another order than the counts (TensorFlow's data set has"
            " another order of images than the official files, PyTorch's and the counts)"
        )
    return Judged(counts, hashlib.sha256(counts.numpy().data).hexdigest())


def _read(file: Path) -> Int64[Tensor, "images 10"]:
    counts = read_array(file, WHAT, WAY_OUT)
    if not isinstance(counts, np.ndarray) or counts.shape != (IMAGES, CLASSES):
        raise DatasetError(
            f"{WHAT}: {file} should hold {IMAGES} × {CLASSES} counts, found"
            f" {getattr(counts, 'shape', 'several arrays')}. {WAY_OUT}"
        )
    if counts.dtype.kind not in "iu" or counts.min() < 0:
        raise DatasetError(
            f"{WHAT}: {file} should hold whole numbers from 0 on, found {counts.dtype};"
            f" the file with probabilities is another. {WAY_OUT}"
        )
    if len(empty := np.flatnonzero(counts.sum(1) == 0)):
        raise DatasetError(f"{WHAT}: {file}: nobody labelled image {empty[0]}. {WAY_OUT}")
    return torch.from_numpy(counts.astype(np.int64))
