"""CIFAR-10 and CIFAR-100: small photographs of ten and of a hundred classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from xbench import ClassHierarchy, Download
from xbench_datasets.cifar import files as cifar_files
from xbench_datasets.cifar.files import Blocks, Form, Records, Version
from xbench_datasets.cifar.names import CIFAR10, CIFAR100, SUPERCLASS, SUPERCLASSES
from xbench_datasets.downloads import put_into
from xbench_datasets.picture_table import Numbered, PictureTable, numbered, state
from xbench_datasets.way_out import option

TEST = 10_000
"""Images of the split test, which is one file."""
HOMEPAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
LICENCE = "none is stated; the photographs belong to their owners"
WAY_OUT = "`xbench data get {}` fetches the data; {} says where a copy is."


@dataclass(frozen=True)
class Cifar(PictureTable):
    """What the two have in common: one split train and one split test, of 32 × 32 pixels."""

    archive: ClassVar[Download]
    versions: ClassVar[tuple[Version, ...]]
    form: ClassVar[Form]

    def check(self) -> None:
        """Raise `DatasetError` for files that are missing or of another size, and wrong labels."""
        for split in self.splits():
            self._records(split)

    def verify(self) -> list[str]:
        """What is wrong with the files; for each class, whether its images are all there."""
        if lines := super().verify():
            return lines
        return [line for split in self.splits() for line in self._unbalanced(split)]

    def downloads(self) -> tuple[Download, ...]:
        """The official archive of the binary version, unpacked to `root`."""
        return (put_into(self.archive, self.root),)

    def splits(self) -> tuple[str, ...]:
        """The official ones."""
        return "train", "test"

    def pictures(self, split: str) -> Blocks:
        """The images of a split."""
        return Blocks([records.pixels for records in self._records(split)])

    def numbers(self, split: str) -> Numbered:
        """Ids and labels of a split."""
        labels = np.concatenate([records.labels[:, -1] for records in self._records(split)])
        return numbered(self.splits().index(split), labels)

    def changed(self) -> tuple[tuple[str, int, int], ...]:
        """Path, size in bytes and time of change of each file."""
        self.check()
        return state([file for split in self.splits() for file in self._files(split)])

    def _files(self, split: str) -> list[Path]:
        folder, version = cifar_files.version_folder(self.folder(), self.versions, self.form)
        return [folder / name for name in version.files[split]]

    def _records(self, split: str) -> list[Records]:
        count = self.form.images if split == "train" else TEST
        return [cifar_files.read_records(file, count, self.form) for file in self._files(split)]

    def _unbalanced(self, split: str) -> list[str]:
        names, labels = self.class_names(), self.numbers(split).labels
        expected = len(labels) // len(names)
        return [
            f"damaged: the split {split} has {count} images of {name!r}, expected {expected}"
            for name, count in zip(names, np.bincount(labels, minlength=len(names)), strict=True)
            if count != expected
        ]


@dataclass(frozen=True)
class Cifar10(Cifar):
    """Images of 32 pixels in 10 classes; the official files, binary or Python version.

    Ids of test images start at 1 000 000.
    """

    name: ClassVar[str] = "cifar10"
    archive: ClassVar[Download] = Download(
        url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        size=170052171,
        checksum="sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        target="cifar10",
        licence=LICENCE,
        homepage=HOMEPAGE,
        most_members=20,
        most_bytes=1 << 28,
    )
    versions: ClassVar[tuple[Version, ...]] = tuple(
        Version(
            folder,
            {
                "train": tuple(f"data_batch_{number}{suffix}" for number in range(1, 6)),
                "test": (f"test_batch{suffix}",),
            },
        )
        for folder, suffix in (("cifar-10-batches-bin", ".bin"), ("cifar-10-batches-py", ""))
    )
    form: ClassVar[Form] = Form(
        what="dataset 'cifar10'",
        images=10_000,
        labels=("labels",),
        classes=len(CIFAR10),
        above=(),
        way_out=WAY_OUT.format("cifar10", option("cifar10")),
    )

    def class_names(self) -> tuple[str, ...]:
        """The ten classes in official order."""
        return CIFAR10


@dataclass(frozen=True)
class Cifar100(Cifar, ClassHierarchy):
    """Images of 32 pixels in 100 classes, the fine labels; the official files, of either version.

    Ids of test images start at 1 000 000.
    """

    name: ClassVar[str] = "cifar100"
    archive: ClassVar[Download] = Download(
        url="https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        size=168513733,
        checksum="sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        target="cifar100",
        licence=LICENCE,
        homepage=HOMEPAGE,
        most_members=20,
        most_bytes=1 << 28,
    )
    versions: ClassVar[tuple[Version, ...]] = tuple(
        Version(folder, {"train": (f"train{suffix}",), "test": (f"test{suffix}",)})
        for folder, suffix in (("cifar-100-binary", ".bin"), ("cifar-100-python", ""))
    )
    form: ClassVar[Form] = Form(
        what="dataset 'cifar100'",
        images=50_000,
        labels=("coarse_labels", "fine_labels"),
        classes=len(CIFAR100),
        above=tuple(list(SUPERCLASSES).index(SUPERCLASS[name]) for name in CIFAR100),
        way_out=WAY_OUT.format("cifar100", option("cifar100")),
    )

    def class_names(self) -> tuple[str, ...]:
        """The hundred classes in official order, such as "aquarium_fish"."""
        return CIFAR100

    def class_ancestors(self) -> tuple[tuple[str, ...], ...]:
        """For each class its superclass, one of twenty."""
        return tuple((SUPERCLASS[name],) for name in CIFAR100)
