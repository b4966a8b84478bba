"""The three official layouts of ADE20K: how each is recognised, and what its files say."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Int16

from xbench import DatasetError
from xbench_datasets.ade20k.index import Index, read_index
from xbench_datasets.ade20k.listing import SEGMENTS, Listing, folder_listing, official_listing
from xbench_datasets.ade20k.lists import SCENES, Objects
from xbench_datasets.ade20k.masks import (
    listed_objects,
    named_objects,
    objects_shown,
    read_annotation,
)
from xbench_datasets.ade20k.presence import Stamp, kept_presence

INDEX = "index_ade20k.mat"


@dataclass(frozen=True)
class Layout(ABC):
    """Where a copy of the dataset has what, and how it is read."""

    name: ClassVar[str]
    looks: ClassVar[str]
    """What tells it from the others."""

    folder: Path
    lists: Path
    """The folder with the lists of objects and scenes."""
    index: Path | None
    """The index that the user names or that lies in the folder, if any."""

    @classmethod
    @abstractmethod
    def fits(cls, folder: Path) -> bool:
        """Whether a folder has this layout."""

    @abstractmethod
    def listing(self) -> Listing:
        """The images of both splits, whether their files are there or not."""

    @abstractmethod
    def label_map(self, mask: str, objects: Objects, what: str) -> Int16[np.ndarray, "h w"]:
        """Which listed object each pixel of a label map shows, −1 for none."""

    def description(self, image: str) -> str | None:
        """The path of the file that names an image's objects; None where there is none."""
        return None

    def known_index(self) -> Index | None:
        """The content of the index, where there is one."""
        return read_index(self.index) if self.index else None

    def presence(self, stamps: Sequence[Stamp], objects: Objects) -> Bool[np.ndarray, "n objects"]:
        """Which objects the images show whose label maps or descriptions are given."""
        return kept_presence(
            lambda path: self.shown_by(path, objects, f"dataset 'ade20k', {Path(path).stem}"),
            self.name,
            stamps,
            objects.names,
        )

    def shown_by(self, path: str, objects: Objects, what: str) -> Bool[np.ndarray, " objects"]:
        """Which objects a label map shows, or a description names where there are these."""
        return objects_shown(self.label_map(path, objects, what), objects)


@dataclass(frozen=True)
class SceneParsing(Layout):
    """SceneParsing-150: a list names images and scenes; label maps have a tree of their own."""

    name: ClassVar[str] = "scene-parsing"
    looks: ClassVar[str] = f"annotations/ or {SCENES}"

    @classmethod
    def fits(cls, folder: Path) -> bool:
        """It has annotations, or the list of scenes alone."""
        return (folder / "annotations").is_dir() or (folder / SCENES).is_file()

    def listing(self) -> Listing:
        """By `sceneCategories.txt`."""
        return official_listing(self.lists / SCENES)

    def label_map(self, mask: str, objects: Objects, what: str) -> Int16[np.ndarray, "h w"]:
        """One byte a pixel."""
        return listed_objects(self.folder / mask, objects, what)


@dataclass(frozen=True)
class Full2021(Layout):
    """The full dataset of 2021: folders name scenes, a JSON beside each image its objects."""

    name: ClassVar[str] = "full-2021"
    looks: ClassVar[str] = "images/ADE/"

    @classmethod
    def fits(cls, folder: Path) -> bool:
        """Its images lie a folder deeper."""
        return (folder / "images" / "ADE").is_dir()

    def listing(self) -> Listing:
        """`images/ADE/training/GROUP/SCENE/ADE_train_00000001.jpg`."""
        return folder_listing(self.folder, "images/ADE")

    def description(self, image: str) -> str:
        """The JSON beside the image."""
        return image.removesuffix(".jpg") + ".json"

    def label_map(self, mask: str, objects: Objects, what: str) -> Int16[np.ndarray, "h w"]:
        """Numbers whose names stand in the image's JSON."""
        source = self.folder / (mask.removesuffix(SEGMENTS) + ".json")
        names = read_annotation(source, what)
        return named_objects(self.folder / mask, names, source, objects, what)

    def known_index(self) -> None:
        """None: the JSON files say all, and the index of another edition may contradict them."""
        if self.index is not None:
            raise DatasetError(f"{self.index} belongs to the editions of 2016, not to full-2021")

    def shown_by(self, path: str, objects: Objects, what: str) -> Bool[np.ndarray, " objects"]:
        """Objects that the JSON names, be it as parts of others."""
        present = np.zeros(len(objects.names), bool)
        for name in read_annotation(self.folder / path, what).values():
            if (place := objects.place(name)) >= 0:
                present[place] = True
        return present


@dataclass(frozen=True)
class Full2016(Layout):
    """The full dataset of 2016: folders name scenes, an index names the objects."""

    name: ClassVar[str] = "full-2016"
    looks: ClassVar[str] = f"images/training/ and {INDEX}"

    @classmethod
    def fits(cls, folder: Path) -> bool:
        """Its images lie in `images/training`, and it has an index but no annotations."""
        images = (folder / "images" / "training").is_dir()
        return images and (folder / INDEX).is_file() and not (folder / "annotations").is_dir()

    def listing(self) -> Listing:
        """`images/training/LETTER/SCENE/ADE_train_00000001.jpg`; scenes of several levels too."""
        return folder_listing(self.folder, "images")

    def label_map(self, mask: str, objects: Objects, what: str) -> Int16[np.ndarray, "h w"]:
        """Numbers that count the index's objects from 1."""
        index = self.known_index()
        names = dict(enumerate(index.names, start=1))
        return named_objects(self.folder / mask, names, index.path, objects, what)

    def known_index(self) -> Index:
        """The index, which this layout cannot do without."""
        return read_index(self.index or self.folder / INDEX)


LAYOUTS: tuple[type[Layout], ...] = (Full2021, Full2016, SceneParsing)


def recognised(folder: Path, name: str, lists: str, index: str) -> Layout:
    """The layout with this name, or with "auto" the one that a folder has."""
    lists_folder = Path(lists).expanduser().absolute() if lists else folder
    index_file = Path(index).expanduser().absolute() if index else folder / INDEX
    for layout in LAYOUTS:
        if layout.name == name or (name == "auto" and layout.fits(folder)):
            known_file = index_file if index or index_file.is_file() else None
            return layout(folder, lists_folder, known_file)
    layouts = "; ".join(f"{layout.name} has {layout.looks}" for layout in LAYOUTS)
    raise DatasetError(f"{folder} has none of the known layouts ({layouts})")
