"""Datasets of small images of one size: the pixels of a split are one table."""

import functools
import hashlib
import operator
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from xbench import Dataset, DatasetError, UnknownNameError, data_home, location

SPAN = 1_000_000
"""Ids of the k-th split start at k × SPAN, so that sizes of splits do not change an id."""


class Pictures(ABC):
    """The images of a split, by place."""

    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Height and width of every image."""

    @abstractmethod
    def pixels(self, places: Int64[np.ndarray, " n"]) -> UInt8[np.ndarray, "n 3 h w"]:
        """The images at these places; an array of their own."""

    @abstractmethod
    def content(self) -> Iterable[np.ndarray]:
        """What the images depend on, in parts: arrays as they lie in files."""


@dataclass(frozen=True, eq=False)
class Stack(Pictures):
    """Images that are one array already."""

    images: UInt8[np.ndarray, "n h w 3"]

    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.images.shape[1:3]
        return height, width

    def pixels(self, places: Int64[np.ndarray, " n"]) -> UInt8[np.ndarray, "n 3 h w"]:
        """The images at these places."""
        return np.ascontiguousarray(self.images[places].transpose(0, 3, 1, 2))

    def content(self) -> list[np.ndarray]:
        """Shape and pixels."""
        return [np.array(self.images.shape), self.images]


class Numbered(NamedTuple):
    """Ids and labels of a split's images, by place."""

    ids: Int64[np.ndarray, " n"]
    labels: Int64[np.ndarray, " n"]

    def places(self, ids: Int64[np.ndarray, " m"]) -> Int64[np.ndarray, " m"]:
        """The place of each image, −1 where it is in another split."""
        if not len(self.ids):
            return np.full(len(ids), -1)
        order = np.argsort(self.ids, kind="stable")  # at once where ids ascend, as they do
        nearest = order[np.searchsorted(self.ids, ids, sorter=order).clip(max=len(order) - 1)]
        return np.where(self.ids[nearest] == ids, nearest, -1)


def numbered(split: int, labels: Int64[np.ndarray, " n"]) -> Numbered:
    """Labels with the ids that images of the k-th split have unless they bring their own."""
    return Numbered(SPAN * split + np.arange(len(labels)), labels)


class Group(NamedTuple):
    """Images of one split among those that were asked for."""

    split: str
    rows: Int64[np.ndarray, " n"]
    """Where they stand among all."""
    places: Int64[np.ndarray, " n"]
    """Where they stand in their split."""


@dataclass(frozen=True)
class PictureTable(Dataset):
    """Images of one size; a subclass says where those of a split and their labels are."""

    root: str = location("")
    """Where the files are; "" for the data folder's."""

    @abstractmethod
    def pictures(self, split: str) -> Pictures:
        """The images of a split."""

    @abstractmethod
    def numbers(self, split: str) -> Numbered:
        """Ids and labels of a split, without reading its images."""

    def folder(self) -> Path:
        """The root."""
        root = Path(self.root).expanduser() if self.root else data_home() / self.name
        return root.absolute()

    def fingerprint(self) -> str:
        """A hash of ids, labels and images of all splits."""
        return _fingerprint(self, self.changed())

    @abstractmethod
    def changed(self) -> tuple[tuple[str, int, int], ...]:
        """Path, size in bytes and time of change of each file that is read."""

    def ids(self, split: str) -> Sequence[int]:
        """Ids of a split's images, in the order of the files."""
        if split not in self.splits():
            raise UnknownNameError(f"split of {self.name}", split, self.splits())
        numbers: list[int] = self.numbers(split).ids.tolist()
        return numbers

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The label of each image, as the files have it."""
        labels = torch.empty(len(ids), dtype=torch.int64)
        for split, rows, places in self._groups(ids):
            labels[rows] = torch.from_numpy(self.numbers(split).labels[places])
        return labels

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images; a tensor of shape (n, 3, h, w) where all have one size."""
        groups = [(rows, self._pixels(split, places)) for split, rows, places in self._groups(ids)]
        if len({pixels.shape[1:] for _, pixels in groups}) > 1:
            return _in_order(groups)
        if len(groups) == 1:
            return cast("Sequence[Tensor]", groups[0][1])
        return cast("Sequence[Tensor]", torch.stack(_in_order(groups))) if groups else []

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Height and width, which are one for all images of a split."""
        sizes = [(0, 0)] * len(ids)
        for split, rows, _ in self._groups(ids):
            size = self.pictures(split).size()
            for row in rows:
                sizes[row] = size
        return sizes

    def _pixels(self, split: str, places: Int64[np.ndarray, " n"]) -> UInt8[Tensor, "n 3 h w"]:
        return torch.from_numpy(self.pictures(split).pixels(places))

    def _groups(self, ids: Sequence[int]) -> Iterator[Group]:
        """The images by split, in the order of splits; all of one id are in one of them."""
        images, known = np.asarray(ids, np.int64), np.zeros(len(ids), bool)
        for split in self.splits():
            places = self.numbers(split).places(images)
            rows = np.flatnonzero(places >= 0)
            known[rows] = True
            if len(rows):
                yield Group(split, rows, places[rows])
        if not known.all():
            unknown = images[~known][0]
            raise DatasetError(f"dataset {self.name!r} has no image with the id {unknown}")


def _in_order(groups: Sequence[tuple[Int64[np.ndarray, " _"], Tensor]]) -> list[Tensor]:
    pairs = [pair for rows, pixels in groups for pair in zip(rows.tolist(), pixels, strict=True)]
    return [image for _, image in sorted(pairs, key=operator.itemgetter(0))]


def state(files: Sequence[Path]) -> tuple[tuple[str, int, int], ...]:
    """Path, size and time of change of each file: a key for what was read from them."""
    stats = [(file, file.stat()) for file in files]
    return tuple((str(file), stat.st_size, stat.st_mtime_ns) for file, stat in stats)


@functools.lru_cache(maxsize=16)
def _fingerprint(dataset: PictureTable, changed: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for split in dataset.splits():
        ids, labels = dataset.numbers(split)
        digest.update(f"{split} {len(ids)}\n".encode())
        for part in (ids, labels, *dataset.pictures(split).content()):
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()[:32]
