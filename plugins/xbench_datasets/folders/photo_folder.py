"""What datasets have in common whose images are files in folders named by their class."""

import functools
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from xbench import Dataset, DatasetError, damaged_photos, location
from xbench_datasets.folders import listing as folder_listing
from xbench_datasets.folders.listing import Folds, ImageFile
from xbench_datasets.way_out import option


class Photograph(Protocol):
    """An image file, and what the folders say of it."""

    @property
    def path(self) -> str:
        """Below the root."""

    @property
    def split(self) -> str:
        """The root's own split that it lies in."""

    @property
    def label(self) -> str:
        """Its class."""


@dataclass(frozen=True, eq=False)
class Album:
    """All images of a folder, sorted by path; made once for each state of the folder."""

    entries: tuple[ImageFile, ...]
    """The files."""
    photographs: tuple[Photograph, ...]
    """The images, which are the files unless some of these hold one and the same."""

    @functools.cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the class folders, sorted."""
        return tuple(sorted({photograph.label for photograph in self.photographs}))

    @functools.cached_property
    def split_of_each(self) -> tuple[str, ...]:
        """The root's own split that each image lies in."""
        return tuple(photograph.split for photograph in self.photographs)

    @functools.cached_property
    def splits(self) -> tuple[str, ...]:
        """The root's own splits."""
        names = set(self.split_of_each)
        return tuple(split for split in folder_listing.SPLITS if split in names)

    @functools.cached_property
    def labels(self) -> Int64[Tensor, " n"]:
        """The place of each image's class among them."""
        places = {name: place for place, name in enumerate(self.classes)}
        labels = [places[photograph.label] for photograph in self.photographs]
        return torch.tensor(labels, dtype=torch.int64)


@dataclass(frozen=True)
class PhotoFolder(Dataset):
    """Ids are places in the sorted list of all images; a subclass makes that list."""

    root: str = location("")

    @abstractmethod
    def album(self) -> Album:
        """The images that the folder has now; `DatasetError` where there are none.

        The same object as long as no folder has changed. Use `last_album`, which does not look.
        """

    def last_album(self) -> Album:
        """The images that the folder had when ids, splits or a fingerprint were last asked for.

        Folders may be large and slow: they are not looked into for every batch.
        """
        return _last_album(self, self.folder())

    def _current_album(self) -> Album:
        """The images that the folder has now, from now on."""
        now = self.album()
        if self.last_album() is not now:
            _last_album.cache_clear()
        return self.last_album()

    def folder(self) -> Path:
        """The root; `DatasetError` if none is named, or if there is none."""
        return folder_listing.existing(self.root, self.what(), option(self.name))

    def what(self) -> str:
        """The dataset, in messages."""
        return f"dataset {self.name!r}"

    def image_name(self, image: int, path: str) -> str:
        """An image, in messages; `path` is below the root."""
        return f"image {image}"

    def check(self) -> None:
        """Raise `DatasetError` without a folder, classes and images."""
        self._current_album()
        self.split_of_each()

    def verify(self) -> list[str]:
        """Every image that does not decode."""
        if lines := super().verify():
            return lines
        return damaged_photos(
            [self.folder() / photo.path for photo in self.last_album().photographs]
        )

    def fingerprint(self) -> str:
        """A hash of paths and sizes, and of the content up to 256 MiB altogether."""
        return _fingerprint(self.folder(), self._current_album())

    def class_names(self) -> tuple[str, ...]:
        """The class folders' names, sorted."""
        return self.last_album().classes

    def splits(self) -> tuple[str, ...]:
        """The root's own splits."""
        return self._current_album().splits

    def split_of_each(self) -> Sequence[str]:
        """The split that each image is in."""
        return self.last_album().split_of_each

    def ids(self, split: str) -> Sequence[int]:
        """Places of the split's images in the sorted list of all."""
        self._current_album()
        return folder_listing.of_split(split, self.splits(), self.split_of_each(), self.root)

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The place of each image's class among the sorted class folders."""
        return self.last_album().labels[self._known(ids)]

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images in RGB, upright."""
        return folder_listing.images(self.folder(), *self._files(ids))

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Height and width when upright, from the files' headers."""
        return folder_listing.sizes(self.folder(), *self._files(ids))

    def _known(self, ids: Sequence[int]) -> list[int]:
        """The ids, or `DatasetError` where one is none of an image."""
        count = len(self.last_album().photographs)
        wrong = [image for image in ids if not 0 <= image < count]
        if wrong:
            raise DatasetError(f"{self.what()} has no image {wrong[0]}; it has 0 … {count - 1}")
        return list(ids)

    def _files(self, ids: Sequence[int]) -> tuple[list[str], list[str]]:
        photographs = self.last_album().photographs
        paths = [photographs[image].path for image in self._known(ids)]
        names = [self.image_name(image, path) for image, path in zip(ids, paths, strict=True)]
        return paths, [f"{self.what()}, {name}" for name in names]


@dataclass(frozen=True)
class FoldedFolder(PhotoFolder):
    """Images without splits can be dealt to folds; one of the folds is the split `test`."""

    folds: int = 0
    """Number of stratified folds; 0 for none."""
    fold: int = 0
    """Which fold is the split `test`; the others are `train`."""
    seed: int = 0
    """Of the shuffle before images are dealt to folds."""

    def __post_init__(self) -> None:
        """Refuse folds that cannot be."""
        self._folds().check()

    def splits(self) -> tuple[str, ...]:
        """Train and test with folds, else the root's own splits, else "all"."""
        return self._folds().splits(self._current_album().splits)

    def split_of_each(self) -> Sequence[str]:
        """The split that each image is in; `DatasetError` for too many folds."""
        album, folds = self.last_album(), self._folds()
        labels = [photograph.label for photograph in album.photographs] if folds.folds else []
        return folds.split_of_each(album.split_of_each, labels, self.root, self.what())

    def _folds(self) -> Folds:
        return Folds(self.folds, self.fold, self.seed)


@functools.lru_cache(maxsize=8)
def _last_album(dataset: PhotoFolder, folder: Path) -> Album:
    """The images as they were when this was first asked, however the folder changes."""
    return dataset.album()


@functools.lru_cache(maxsize=8)
def _fingerprint(folder: Path, album: Album) -> str:
    """Made once for an album: it takes long even to tell lists of a million files apart."""
    return folder_listing.fingerprint(folder, album.entries)
