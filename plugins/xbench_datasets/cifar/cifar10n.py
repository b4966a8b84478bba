"""CIFAR-10N: what three people each took the training images of CIFAR-10 for."""

import functools
import hashlib
import tempfile
import zipfile
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
    HumanLabels,
    UnknownNameError,
    UsageError,
    fingerprint,
    location,
    read_pickle,
)
from xbench_datasets.way_out import option

WHAT = "dataset 'cifar10n'"
IMAGES, CLASSES = 50_000, 10
ANSWERS = ("random_label1", "random_label2", "random_label3")
LEAST = 0.7
"""Share of images whose label each of three must have chosen; in the official order it is .83."""
MOST_BYTES = 1 << 26
WAY_OUT = (
    "Get CIFAR-10_human.pt from the authors (http://www.noisylabels.com, CC BY-NC 4.0);"
    f" {option('cifar10n', 'answers', 'FILE')} says where it is."
)


@dataclass(frozen=True)
class Cifar10n(DerivedDataset, HumanLabels):
    """The training images of CIFAR-10, and which class three people chose for each of them.

    "Learning with Noisy Labels Revisited" (Wei et al., ICLR 2022). Its one split is `train`; ids,
    images and labels are those of the dataset `of`, which has the 50 000 in their official order.
    """

    name: ClassVar[str] = "cifar10n"

    answers: str = location("")
    """The file `CIFAR-10_human.pt`."""
    split: str = "train"
    """The split of `of` with the training images."""

    def check(self) -> None:
        """Raise `DatasetError` where answers are missing or wrong, or belong to other images."""
        self.of.check()
        self._answered()

    def fingerprint(self) -> str:
        """A hash of the images' dataset, its split and the answers."""
        digest = self._answered().digest
        return fingerprint({"of": self.of.fingerprint(), "split": self.split, "answers": digest})

    def splits(self) -> tuple[str, ...]:
        """The training images alone."""
        return ("train",)

    def ids(self, split: str) -> Sequence[int]:
        """The ids that the images have in `of`."""
        if split not in self.splits():
            raise UnknownNameError(f"split of {self.name}", split, self.splits())
        return self.of.ids(self.split)

    def label_counts(self, ids: Sequence[int]) -> Int64[Tensor, "n 10"]:
        """How many of three people chose each class."""
        places = {image: place for place, image in enumerate(self.ids("train"))}
        unknown = [image for image in ids if image not in places]
        if unknown:
            raise DatasetError(
                f"{WHAT}: image {unknown[0]} is not in split {self.split!r} of {self.of.name!r}; "
                "people were shown only those"
            )
        return self._answered().counts[[places[image] for image in ids]]

    def _answered(self) -> "Answered":
        file = Path(self.answers).expanduser().absolute()
        if not self.answers or not file.is_file():
            shown = file if self.answers else "the file with the answers"
            raise DatasetError(f"{WHAT}: {shown} is not there. {WAY_OUT}")
        return _agreeing(self, file, file.stat().st_mtime_ns)


class Answered(NamedTuple):
    """What people said."""

    counts: Int64[Tensor, "images 10"]
    digest: str
    """A hash of them."""


@functools.lru_cache(maxsize=4)
def _agreeing(dataset: Cifar10n, file: Path, changed: int) -> Answered:
    """The counts, if they are of the dataset's images in their order."""
    answers, of = _read(file), dataset.of
    labels = of.labels(of.ids(dataset.split))
    if (len(labels), len(of.class_names())) != (IMAGES, CLASSES):
        raise DatasetError(
            f"{WHAT}: split {dataset.split!r} of {of.name!r} has {len(labels)} images of "
            f"{len(of.class_names())} classes; the answers are about {IMAGES} images of {CLASSES}"
        )
    agreement = float((answers == labels).double().mean())
    if agreement < LEAST:
        raise DatasetError(
            f"{WHAT}: in {file} only {agreement:.1%} of the answers are the label of the image in "
            f"split {dataset.split!r} of {of.name!r}, in the official order 83%; images are in "
            "another order (TensorFlow's is not PyTorch's, and CIFAR-10_human.pt has the latter)"
        )
    counts = torch.nn.functional.one_hot(answers, CLASSES).sum(0)
    return Answered(counts, hashlib.sha256(counts.numpy().data).hexdigest())


def _read(file: Path) -> Int64[Tensor, "3 images"]:
    """The answers of the three, which the file has as arrays by name."""
    value = _unpickled(file)
    given = value if isinstance(value, dict) else {}
    answers = [_checked(given.get(name), name, file) for name in ANSWERS]
    return torch.from_numpy(np.stack(answers).astype(np.int64))


def _checked(array: object, name: str, file: Path) -> np.ndarray:
    """An array of as many classes as there are images."""
    what = f"{WHAT}: {file}"
    if not isinstance(array, np.ndarray):
        raise DatasetError(f"{what} lacks {name}. {WAY_OUT}")
    if array.shape != (IMAGES,) or array.dtype.kind not in "iu":
        size = f"found {array.shape} of {array.dtype}"
        raise DatasetError(f"{what}: {name} should hold {IMAGES} classes, {size}. {WAY_OUT}")
    if array.min() < 0 or array.max() >= CLASSES:
        raise DatasetError(f"{what}: {name} has classes beside 0 to 9. {WAY_OUT}")
    return array


def _unpickled(file: Path) -> object:
    """The plain value in torch's archive, of which nothing is run."""
    try:
        with zipfile.ZipFile(file) as archive, tempfile.TemporaryDirectory() as scratch:
            (entry,) = [one for one in archive.infolist() if one.filename.endswith("/data.pkl")]
            if entry.file_size > MOST_BYTES:
                raise DatasetError(f"{WHAT}: {file} is too large. {WAY_OUT}")
            place = Path(scratch) / "data.pkl"
            place.write_bytes(archive.read(entry))
            return read_pickle(place, WHAT, MOST_BYTES)
    except (OSError, ValueError, zipfile.BadZipFile, UsageError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(f"{WHAT}: {file} cannot be read ({error}). {WAY_OUT}") from error
