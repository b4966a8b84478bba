"""Packed images: one file for each split, with small images as JPEG, as PNG or as they are."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from xbench import DatasetError, fingerprint
from xbench_datasets.packed import file as packed_file
from xbench_datasets.packed.file import SUFFIX, WHAT, Packing
from xbench_datasets.picture_table import Numbered, Pictures, PictureTable, numbered, state
from xbench_datasets.way_out import option


@dataclass(frozen=True)
class PackedImages(PictureTable):
    """Your own images in `root/*.npz`, each a split: images of one size, labels, class names.

    Ids are those in the files; else places in their file, one million further for each file.
    """

    name: ClassVar[str] = "packed"

    files: tuple[str, ...] = ()
    """Files of the root, or `split=file`; a split is named as its file. () for all files."""
    classes: tuple[str, ...] = ()
    """Names of the classes; () for those in the first file."""

    def __post_init__(self) -> None:
        """Refuse two splits of one name."""
        names = [_split(file) for file in self.files]
        if len(set(names)) < len(names):
            raise ValueError(f"files should be of different splits, got {', '.join(names)}")

    def check(self) -> None:
        """Raise `DatasetError` where a file is missing, or its arrays do not fit together."""
        names, seen = self.class_names(), set[int]()
        for split in self.splits():
            ids, labels = self.numbers(split)
            if len(labels) and labels.max() >= len(names):
                raise DatasetError(
                    f"{WHAT}: {self._paths()[split]} has label {labels.max()},"
                    f" but there are {len(names)} classes"
                )
            if seen.intersection(ids.tolist()):
                raise DatasetError(f"{WHAT}: {self._paths()[split]} has ids of another file")
            seen.update(ids.tolist())

    def fingerprint(self) -> str:
        """A hash of ids, labels and images of all splits, and of names that stand in a file."""
        images = super().fingerprint()
        if self.classes:  # parameters identify a dataset already
            return images
        return fingerprint({"images": images, "classes": self.class_names()})

    def verify(self) -> list[str]:
        """What is wrong with the files, or every image that does not decode."""
        if lines := super().verify():
            return lines
        return [line for split in self.splits() for line in self._packing(split).damaged()]

    def class_names(self) -> tuple[str, ...]:
        """`classes`; else the names in the first file that has some."""
        if self.classes:
            return self.classes
        for split in self.splits():
            if names := self._packing(split).class_names:
                return names
        raise DatasetError(
            f"{WHAT}: no file in {self.folder()} names the classes;"
            """ give them in order: -p 'dataset.classes=["cat", "dog"]'"""
        )

    def splits(self) -> tuple[str, ...]:
        """The splits, in the order of `files`, or sorted."""
        return tuple(self._paths())

    def pictures(self, split: str) -> Pictures:
        """The images of a split; none is decoded before it is asked for."""
        return self._packing(split).pictures

    def numbers(self, split: str) -> Numbered:
        """Ids and labels of a split."""
        packing = self._packing(split)
        if packing.ids is not None:
            return Numbered(packing.ids, packing.labels)
        return numbered(self.splits().index(split), packing.labels)

    def changed(self) -> tuple[tuple[str, int, int], ...]:
        """Path, size in bytes and time of change of each file."""
        return state(list(self._paths().values()))

    def _packing(self, split: str) -> Packing:
        return packed_file.read(*state([self._paths()[split]])[0])

    def _paths(self) -> dict[str, Path]:
        if not self.root:
            raise DatasetError(f"{WHAT} needs a folder: {option('packed')}")
        folder = self.folder()
        if not folder.is_dir():
            raise DatasetError(f"{WHAT}: {folder} is no folder; see {option('packed')}")
        return _paths(folder, self.files, folder.stat().st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _paths(folder: Path, files: Sequence[str], changed: int) -> dict[str, Path]:
    names = files or sorted(path.name for path in folder.glob(f"*{SUFFIX}"))
    if not names:
        raise DatasetError(f"{WHAT}: {folder} should hold {SUFFIX} files, one for each split")
    paths = {_split(file): folder / file.rpartition("=")[2] for file in names}
    for path in paths.values():
        if not path.is_file():
            there = ", ".join(sorted(path.name for path in folder.glob(f"*{SUFFIX}"))) or "none"
            raise DatasetError(f"{WHAT}: {path} is not there; files that are: {there}")
    return paths


def _split(file: str) -> str:
    split, _, name = file.rpartition("=")
    return split or Path(name).stem
