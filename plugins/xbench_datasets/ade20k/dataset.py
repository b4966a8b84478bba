"""ADE20K: photographs of more than a thousand kinds of scenes with masks of 150 objects."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Int16, Int64
from torch import Tensor

from xbench import (
    ClassAttributes,
    DatasetError,
    Download,
    PartAttribute,
    PartMasks,
    UnknownNameError,
    damaged_photos,
    data_home,
    location,
)
from xbench_datasets.ade20k.layouts import Layout, recognised
from xbench_datasets.ade20k.listing import Listing, class_rows, classes, scenes_without_training
from xbench_datasets.ade20k.lists import OBJECTS, Objects, read_objects
from xbench_datasets.ade20k.masks import checked_mask
from xbench_datasets.ade20k.presence import Stamp, frequencies
from xbench_datasets.downloads import put_into
from xbench_datasets.missing_files import lacking
from xbench_datasets.photo_files import PhotoFile, PhotoFiles
from xbench_datasets.way_out import explained, option

WHAT = "dataset 'ade20k'"
ARCHIVE = Download(
    url="http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip",
    size=967382037,
    checksum="sha256:7ff1be44964418441f542a7cc1e1a650e7dc0fc275f5d23252bc9bbdbc977b29",
    target="ADEChallengeData2016",
    licence="annotations BSD-3-Clause; photographs for non-commercial research and education",
    homepage="http://sceneparsing.csail.mit.edu",
    most_members=60_000,
    most_bytes=4 << 30,
)
NESTED = ("ADEChallengeData2016", "ADE20K_2021_17_01", "ADE20K_2016_07_26")
"""Folders in the official archives."""
SUFFIXES = (".jpg", ".png", ".json")
WAY_OUT = (
    f"`xbench data get ade20k` fetches SceneParsing-150; {option('ade20k')} says where a copy is."
    " The full dataset is given to those who register at https://ade20k.csail.mit.edu."
)


@dataclass(frozen=True)
class Ade20k(PhotoFiles, PartMasks, ClassAttributes):
    """Photographs of scenes, with masks of their objects; classes are scenes, sorted by name.

    The official layouts. Ids are the official numbers of training images, and 1 000 000 more
    for validation images, which are the split `test`.
    """

    name: ClassVar[str] = "ade20k"

    root: str = location("")
    """The dataset's folder or the one that holds it; "" for the data folder's."""
    layout: Literal["auto", "scene-parsing", "full-2021", "full-2016"] = "auto"
    lists: str = ""
    """The folder with objectInfo150.txt, and sceneCategories.txt if used; "" for `root`."""
    index: str = ""
    """The file index_ade20k.mat: says what training images show; "" for that in `root`, if any."""
    fewest: int = 1
    """Scenes with fewer training images are left out; 0 demands that every scene has some."""

    def __post_init__(self) -> None:
        """Refuse a negative number of images."""
        if self.fewest < 0:
            raise ValueError(f"fewest should be 0 or more, got {self.fewest}")

    def folder(self) -> Path:
        """The folder of the layout, whether `root` is that one or holds it."""
        root = Path(self.root).expanduser() if self.root else data_home() / ARCHIVE.target
        inside = (root / name for name in NESTED if (root / name).is_dir())
        return next(inside, root).absolute()

    def check(self) -> None:
        """Name missing files, and lines of lists that are wrong."""
        listing, rows = self._listing(), self._rows_that_count()
        for split, present in (("training", True), ("validation", False)):
            if not (listing.training[rows] == present).any():
                raise _error(f"{listing.source} names no {split} image")
        self._require_lists()
        self._stamps(self._files(rows))

    def verify(self) -> list[str]:
        """Every missing or damaged file, and label maps that do not fit image or list."""
        try:
            listing, rows = self._listing(), self._rows_that_count()
            self._require_lists()
        except DatasetError as error:
            return [str(error)]
        folder = self.folder()
        lines = damaged_photos([folder / listing.images[row] for row in rows])
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            complaints = threads.map(self._complaint, listing.ids[rows].tolist())
            return [*lines, *(line for line in complaints if line)]

    def downloads(self) -> tuple[Download, ...]:
        """The official archive of SceneParsing-150, unpacked to `root`."""
        return (put_into(ARCHIVE, self.root),)

    def fingerprint(self) -> str:
        """A hash of the lists' content, and of the scenes, paths and sizes of all files."""
        layout, listing, rows = self._layout(), self._listing(), self._rows_that_count()
        digest = hashlib.sha256(layout.name.encode())
        lists = (layout.lists / OBJECTS, *([layout.index] if layout.index else []))
        for file in lists:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        for row in rows.tolist():
            digest.update(f"{listing.stems[row]} {listing.scenes[row]}\n".encode())
        for path, size, _ in self._stamps(self._files(rows)):
            digest.update(f"{path} {size}\n".encode())
        return digest.hexdigest()[:32]

    def class_names(self) -> tuple[str, ...]:
        """The scenes as the official list or folder names them, sorted."""
        listing = self._listing()
        if self.fewest == 0 and (bare := scenes_without_training(listing)):
            raise _error(
                f"{listing.source}: scene {bare[0]!r} has no training image, so nobody knows what"
                f" it usually shows ({len(bare)} such scenes); -p dataset.fewest=1 leaves them out"
            )
        if names := classes(listing, self.fewest):
            return names
        raise _error(f"{listing.source}: no scene has {self.fewest} training images")

    def splits(self) -> tuple[str, ...]:
        """The official training and validation images."""
        return "train", "test"

    def ids(self, split: str) -> Sequence[int]:
        """Ids of the split's images, ascending."""
        if split not in self.splits():
            raise UnknownNameError("split of ade20k", split, self.splits())
        listing, rows = self._listing(), self._rows_that_count()
        return listing.ids[rows[listing.training[rows] == (split == "train")]].tolist()

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The place of each image's scene in `class_names`."""
        labels = self._labels(self._rows(ids))
        return torch.from_numpy(labels)

    def photos(self, ids: Sequence[int]) -> list[PhotoFile]:
        """The photographs as the layout names them."""
        folder, listing = self.folder(), self._listing()
        return [
            PhotoFile(folder / listing.images[row], f"{WHAT}, {listing.stems[row]}")
            for row in self._rows(ids)
        ]

    def mask_names(self) -> tuple[str, ...]:
        """The 150 objects."""
        return self._objects().names

    def part_masks(self, ids: Sequence[int]) -> Sequence[Int16[Tensor, "_ _"]]:
        """Label maps of the size of the images; of whole objects, not of their parts."""
        layout, listing, objects = self._layout(), self._listing(), self._objects()
        maps = []
        for row, (path, what) in zip(self._rows(ids), self.photos(ids), strict=True):
            mask = layout.label_map(listing.masks[row], objects, what)
            maps.append(checked_mask(mask, layout.folder / listing.masks[row], path, what))
        return maps

    def class_attributes(self) -> tuple[PartAttribute, ...]:
        """Per cent of a scene's training images that show an object, the only value "present".

        By the index where there is one, else by the label maps or, in `full-2021`, by the
        JSON files: one pass over all training images, whose result is kept.
        """
        layout, listing, objects = self._layout(), self._listing(), self._objects()
        training = [row for row in self._rows_that_count().tolist() if listing.training[row]]
        with explained(WHAT, WAY_OUT):
            index = layout.known_index()
            stems = [listing.stems[row] for row in training]
            present = index.presence(objects, stems) if index else None
        if present is None:
            files = [layout.description(listing.images[r]) or listing.masks[r] for r in training]
            present = layout.presence(self._stamps(files), objects)
        table = frequencies(present, self._labels(training), len(self.class_names()))
        return tuple(
            PartAttribute(part, "presence", ("present",), torch.from_numpy(table[:, [part]]))
            for part in range(len(objects.names))
        )

    def _layout(self) -> Layout:
        with explained(WHAT, WAY_OUT):
            return recognised(self.folder(), self.layout, self.lists, self.index)

    def _listing(self) -> Listing:
        layout = self._layout()
        with explained(WHAT, WAY_OUT):
            return layout.listing()

    def _objects(self) -> Objects:
        path = self._layout().lists / OBJECTS
        with explained(WHAT, WAY_OUT):
            return read_objects(path)

    def _require_lists(self) -> None:
        """`DatasetError` where the list of objects or the index cannot be read."""
        layout = self._layout()
        self._objects()
        with explained(WHAT, WAY_OUT):
            layout.known_index()

    def _rows_that_count(self) -> Int64[np.ndarray, " n"]:
        self.class_names()
        return class_rows(self._listing(), self.fewest)

    def _rows(self, ids: Sequence[int]) -> list[int]:
        rows, known = self._listing().rows, set(self._rows_that_count().tolist())
        for image in ids:
            if rows.get(image) not in known:
                raise UnknownNameError("image id of ade20k", str(image), ())
        return [rows[image] for image in ids]

    def _labels(self, rows: Sequence[int]) -> Int64[np.ndarray, " n"]:
        scenes, names = self._listing().scenes, self.class_names()
        places = {scene: place for place, scene in enumerate(names)}
        return np.array([places[scenes[row]] for row in rows], np.int64)

    def _files(self, rows: Int64[np.ndarray, " n"]) -> list[str]:
        """Photographs, label maps and JSON files, relative to the folder."""
        layout, listing = self._layout(), self._listing()
        images = [listing.images[row] for row in rows.tolist()]
        described = (layout.description(image) for image in images)
        return [*images, *(listing.masks[row] for row in rows), *(d for d in described if d)]

    def _stamps(self, files: Sequence[str]) -> list[Stamp]:
        """What is known of each file without opening it; `DatasetError` for missing ones."""
        folder = self.folder()
        stamps = stamped(folder, dict.fromkeys(str(Path(file).parent) for file in files))
        if absent := [file for file in files if file not in stamps]:
            raise _error(lacking(folder, absent))
        return [stamps[file] for file in files]

    def _complaint(self, image: int) -> str:
        """What is wrong with the label map of an image that can be read, in one line."""
        try:
            self.sizes([image])
        except DatasetError:
            return ""  # named already, with the photographs
        try:
            self.part_masks([image])
        except DatasetError as error:
            return f"damaged: {error}"
        return ""


def stamped(folder: Path, parents: Iterable[str]) -> dict[str, Stamp]:
    """Path, size and time of change of every file in these sub-folders, by its path."""
    entries = (
        (f"{parent}/{entry.name}", entry.stat())
        for parent in parents
        if (folder / parent).is_dir()
        for entry in os.scandir(folder / parent)
        if entry.name.endswith(SUFFIXES)
    )
    return {path: (path, stat.st_size, stat.st_mtime_ns) for path, stat in entries}


def _error(message: str) -> DatasetError:
    return DatasetError(f"{WHAT}: {message}. {WAY_OUT}")
