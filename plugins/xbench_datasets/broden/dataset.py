"""Broden: photographs with labels of colours, objects, parts, materials, scenes and textures."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Generator, Tensor

from xbench import (
    Concept,
    ConceptExamples,
    ConceptExamplesPair,
    Dataset,
    DatasetError,
    UnknownNameError,
    damaged_photos,
    data_home,
    decode_photo,
    location,
    square_photo,
)
from xbench_datasets.broden.index import WHAT, Index, Label, Picture, read_index
from xbench_datasets.broden.presence import label_pairs
from xbench_datasets.missing_files import lacking
from xbench_datasets.way_out import explained, option

NESTED = ("broden1_224", "broden1_227", "broden1_384")
"""Folders in the official archives."""
FAMILIES = {
    "object": "objects and parts",
    "part": "objects and parts",
    "scene": "settings",
    "texture": "textures",
    "material": "textures",
    "color": "image qualities",
}
SCENE, NO_SCENE = "scene", "none"
WAY_OUT = (
    "http://netdissect.csail.mit.edu/data/broden1_224.zip has the data;"
    f" {option('broden')} says where its folder is."
)


@dataclass(frozen=True)
class Broden(Dataset, ConceptExamples):
    """Images with masks of many concepts; classes are scenes, and "none" without one.

    The official layout. Concept examples are official training images; the only split is `val`.
    Ids are places in the official index.
    """

    name: ClassVar[str] = "broden"

    root: str = location("")
    """The folder with index.csv or the one that holds it; "" for the data folder's."""
    minimum: int = 100
    """Labels of fewer images are no concepts."""
    size: int = 224
    """Side of concept examples in pixels."""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.minimum < 1 or self.size < 1:
            raise ValueError("minimum and size should be 1 or more")

    def folder(self) -> Path:
        """The folder with the index, whether `root` is that one or holds it."""
        root = Path(self.root).expanduser() if self.root else data_home()
        inside = (root / name for name in NESTED if (root / name).is_dir())
        return next(inside, root if self.root else root / NESTED[0]).absolute()

    def check(self) -> None:
        """Name images that are missing, and lines of tables that are wrong."""
        index, folder = self._index(), self.folder() / "images"
        absent = [p.path for p in index.pictures if not (folder / p.path).is_file()]
        if absent:
            lack = lacking(folder, absent, "an image", "images")
            raise DatasetError(f"{WHAT}: {lack}. {WAY_OUT}")
        if not any(picture.split == "val" for picture in index.pictures):
            raise DatasetError(f"{WHAT}: index.csv names no image of the split val. {WAY_OUT}")

    def verify(self) -> list[str]:
        """Every missing or damaged image or mask."""
        try:
            index = self._index()
        except DatasetError as error:
            return [str(error)]
        files = (
            name
            for picture in index.pictures
            for name in (picture.path, *(m for masks in picture.masks.values() for m in masks))
        )
        return damaged_photos([self.folder() / "images" / name for name in dict.fromkeys(files)])

    def fingerprint(self) -> str:
        """A hash of the tables' content, and of the images' paths and sizes in bytes."""
        folder, digest = self.folder(), hashlib.sha256()
        pictures = self._index().pictures
        for name in ("index.csv", "label.csv"):
            digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
        for picture in pictures:
            size = (folder / "images" / picture.path).stat().st_size
            digest.update(f"{picture.path} {size}\n".encode())
        return digest.hexdigest()[:32]

    def class_names(self) -> tuple[str, ...]:
        """The scenes in the order of their labels' numbers, then "none"."""
        return (*(label.name for label in self._scenes()), NO_SCENE)

    def splits(self) -> tuple[str, ...]:
        """The official validation images; training images are kept for concept examples."""
        return ("val",)

    def ids(self, split: str) -> Sequence[int]:
        """Places of the split's images in the official index."""
        if split not in self.splits():
            raise UnknownNameError("split of broden", split, self.splits())
        pictures = self._index().pictures
        return [place for place, picture in enumerate(pictures) if picture.split == split]

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The dominant scene of each image, or "none"."""
        places = {label.number: place for place, label in enumerate(self._scenes())}
        scenes = [picture.labels.get(SCENE, (0,))[0] for picture in self._pictures(ids)]
        return torch.tensor([places.get(scene, len(places)) for scene in scenes])

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The images."""
        return [decode_photo(self._path(p), _photo_name(p)) for p in self._pictures(ids)]

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Height and width, from the index."""
        return [(picture.height, picture.width) for picture in self._pictures(ids)]

    def concepts(self) -> tuple[Concept, ...]:
        """Labels of at least `minimum` images, in the order of their numbers."""
        return tuple(Concept(name, _family(label)) for name, label in self._concepts().items())

    def concept_examples(self, name: str, count: int, generator: Generator) -> ConceptExamplesPair:
        """Training images with the label; and others without it, but labelled in its category.

        Both from the same sources; fewer than `count` where there are not so many.
        """
        labels = self._concepts()
        if name not in labels:
            raise UnknownNameError("concept of broden", name, labels)
        pool = [p for p in self._index().pictures if p.split == "train"]
        presence = self._presence(pool, labels[name])
        sources = {p.source for p, present in zip(pool, presence, strict=True) if present}
        candidates = [p.annotated(labels[name].category) and p.source in sources for p in pool]
        return ConceptExamplesPair(
            self._examples(name, pool, presence, count, generator),
            self._examples(name, pool, np.array(candidates) & ~presence, count, generator),
        )

    def _examples(
        self, name: str, pool: Sequence[Picture], which: Bool[np.ndarray, " n"], count: int,
        generator: Generator,
    ) -> UInt8[Tensor, "n 3 s s"]:  # fmt: skip
        places = np.flatnonzero(which)
        if not places.size:
            raise DatasetError(
                f"{WHAT}: no training images tell with {name!r} from without; raise"
                " -p dataset.minimum to leave rare labels out"
            )
        order = torch.randperm(places.size, generator=generator)[:count]
        pictures = [pool[place] for place in places[order.numpy()]]
        return torch.stack(
            [square_photo(self._path(p), _photo_name(p), self.size) for p in pictures]
        )

    def _presence(self, pool: Sequence[Picture], label: Label) -> Bool[np.ndarray, " n"]:
        """Which images have the label, in any category."""
        presence = np.zeros(len(pool), bool)
        changed = (self.folder() / "index.csv").stat().st_mtime_ns
        for category in label.categories:
            with explained(WHAT, WAY_OUT):
                pairs = label_pairs(self.folder(), pool, category, changed)
            presence[pairs[pairs[:, 1] == label.number, 0]] = True
        return presence

    def _concepts(self) -> dict[str, Label]:
        """Labels by the concept's name, which is the label's; of two of one name the first."""
        labels = sorted(self._index().labels.values(), reverse=True)
        frequent = [label for label in labels if label.images >= self.minimum]
        concepts = {label.name: label for label in frequent if label.category in FAMILIES}
        return dict(sorted(concepts.items(), key=lambda item: item[1].number))

    def _scenes(self) -> list[Label]:
        labels = sorted(self._index().labels.values())
        return [label for label in labels if SCENE in label.categories]

    def _index(self) -> Index:
        with explained(WHAT, WAY_OUT):
            return read_index(self.folder())

    def _pictures(self, ids: Sequence[int]) -> list[Picture]:
        pictures = self._index().pictures
        for image in ids:
            if not 0 <= image < len(pictures):
                raise UnknownNameError("image id of broden", str(image), ())
        return [pictures[image] for image in ids]

    def _path(self, picture: Picture) -> Path:
        return self.folder() / "images" / picture.path


def _family(label: Label) -> str:
    return FAMILIES[label.category]


def _photo_name(picture: Picture) -> str:
    return f"{WHAT}, {picture.path}"
