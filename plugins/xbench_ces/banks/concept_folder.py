"""Folders of positive and negative images: concepts of one's own."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Int64, UInt8
from torch import Generator, Tensor

from xbench import (
    Concept,
    ConceptExamples,
    ConceptExamplesPair,
    Dataset,
    DatasetError,
    Transform,
    UnknownNameError,
    content_hash,
    damaged_photos,
    decode_photo,
    location,
)
from xbench_ces.banks.concept_images import LEAST, pixels
from xbench_datasets.folders import listing as folder_listing
from xbench_datasets.folders.listing import WHOLE, ImageFile

KINDS = ("positive", "negative")
WHAT = "dataset 'concept-folder'"
LAYOUT = "root/concept/positive and root/concept/negative, or root/family/concept/…"
LEVELS = 3
"""Family, concept and kind."""


class Photo(NamedTuple):
    """What an image file shows."""

    path: str
    concept: Concept
    kind: str


@dataclass(frozen=True)
class ConceptFolder(Dataset, ConceptExamples):
    """Photographs with and without concepts, to learn a bank of concepts from.

    `root/concept/positive/*.jpg` and `root/concept/negative/*.jpg`, or `root/family/concept/…`;
    a concept without a family has the family "". Its classes are the concepts, and its images
    the positive ones. Photographs are turned upright as their EXIF orientation says; their
    short side becomes `size`, and their middle is cut out.
    """

    name: ClassVar[str] = "concept-folder"

    root: str = location("")
    size: int = 224
    """Side of the square images."""

    def __post_init__(self) -> None:
        """Refuse a size that cannot be."""
        if self.size < 1:
            raise ValueError(f"size should be at least 1, got {self.size}")

    def check(self) -> None:
        """Raise `DatasetError` without a folder, or for a concept with too few images."""
        for concept in self.concepts():
            for kind in KINDS:
                self._check_count(concept.name, kind)
            self._check_kinds(concept.name)

    def verify(self) -> list[str]:
        """Every image that does not decode."""
        if lines := super().verify():
            return lines
        return damaged_photos([self._root() / photo.path for photo in self._photos()])

    def fingerprint(self) -> str:
        """A hash of paths and sizes, and of the content up to 256 MiB altogether."""
        return folder_listing.fingerprint(self._root(), self._entries())

    def class_names(self) -> tuple[str, ...]:
        """The concepts' names."""
        return tuple(concept.name for concept in self.concepts())

    def splits(self) -> tuple[str, ...]:
        """One, "all"."""
        return (WHOLE,)

    def ids(self, split: str) -> Sequence[int]:
        """Places of the positive images in the sorted list of all images."""
        if split != WHOLE:
            raise UnknownNameError(f"split of {self.root}", split, self.splits())
        return [place for place, photo in enumerate(self._photos()) if photo.kind == "positive"]

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The place of each image's concept in `class_names`."""
        places = {name: place for place, name in enumerate(self.class_names())}
        photos = self._photos()
        return torch.tensor(
            [places[photos[image].concept.name] for image in ids], dtype=torch.int64
        )

    def images(  # type: ignore[override]
        self, ids: Sequence[int]
    ) -> UInt8[Tensor, "n 3 size size"]:
        """The images in RGB, square."""
        photos = self._photos()
        return self._decoded([photos[image] for image in ids])

    def sizes(self, ids: Sequence[int]) -> Sequence[tuple[int, int]]:
        """Every image is square."""
        return [(self.size, self.size)] * len(ids)

    def concepts(self) -> tuple[Concept, ...]:
        """The folders that hold `positive` and `negative`, sorted, with their families."""
        return tuple(dict.fromkeys(photo.concept for photo in self._photos()))

    def concept_examples(self, name: str, count: int, generator: Generator) -> ConceptExamplesPair:
        """Up to `count` images with and without the concept, drawn without repetition."""
        if name not in self.class_names():
            raise UnknownNameError(f"concept of {self.root}", name, self.class_names())
        positive, negative = (self._sample(name, kind, count, generator) for kind in KINDS)
        return ConceptExamplesPair(positive, negative)

    def _sample(
        self, name: str, kind: str, count: int, generator: Generator
    ) -> UInt8[Tensor, "n 3 h w"]:
        photos = self._photos_of(name, kind)
        places = torch.randperm(len(photos), generator=generator)[:count].tolist()
        return self._decoded([photos[place] for place in places])

    def _photos_of(self, name: str, kind: str) -> list[Photo]:
        return [
            photo for photo in self._photos() if photo.concept.name == name and photo.kind == kind
        ]

    def _decoded(self, photos: Sequence[Photo]) -> UInt8[Tensor, "n 3 h w"]:
        root, square = self._root(), Transform(self.size, self.size)
        images = torch.empty(len(photos), 3, self.size, self.size, dtype=torch.uint8)
        for place, photo in enumerate(photos):
            image = decode_photo(root / photo.path, WHAT, upright=True)
            images[place] = pixels(square.image(image))
        return images

    def _check_count(self, name: str, kind: str) -> None:
        count = len(self._photos_of(name, kind))
        if count < LEAST:
            message = f"{WHAT}: concept {name!r} has {count} images in its folder "
            raise DatasetError(f"{message}{kind!r}; at least {LEAST} are needed")

    def _check_kinds(self, name: str) -> None:
        """Raise if both folders hold the same files."""
        root = self._root()
        folders = [[root / photo.path for photo in self._photos_of(name, kind)] for kind in KINDS]
        sizes = [sorted(path.stat().st_size for path in folder) for folder in folders]
        if sizes[0] == sizes[1] and _hashes(folders[0]) == _hashes(folders[1]) != set():
            message = f"{WHAT}: the folders 'positive' and 'negative' of concept "
            raise DatasetError(f"{message}{name!r} hold the same images")

    def _root(self) -> Path:
        return folder_listing.existing(self.root, WHAT)

    def _entries(self) -> tuple[ImageFile, ...]:
        return folder_listing.image_entries(self._root(), LEVELS, WHAT)

    def _photos(self) -> tuple[Photo, ...]:
        return _photos(self._root(), self._entries())


@functools.lru_cache(maxsize=8)
def _photos(root: Path, entries: tuple[ImageFile, ...]) -> tuple[Photo, ...]:
    """What each image shows. `DatasetError` for folders that are otherwise."""
    photos = tuple(_photo(root, entry) for entry in entries)
    families: dict[str, str] = {}
    for photo in photos:
        name, family = photo.concept
        if families.setdefault(name, family) != family:
            message = f"{WHAT}: families {families[name]!r} and {family!r} both have a concept "
            raise DatasetError(f"{message}{name!r}; rename one of them")
    return photos


def _photo(root: Path, entry: ImageFile) -> Photo:
    *parents, kind, _ = Path(entry.path).parts
    if kind not in KINDS or len(parents) not in (1, 2):
        message = f"{WHAT}: {root / entry.path} lies in no folder 'positive' or 'negative' of a "
        raise DatasetError(f"{message}concept; expected {LAYOUT}")
    folder = root.joinpath(*parents)
    for sub_folder in KINDS:
        if not (folder / sub_folder).is_dir():
            raise DatasetError(
                f"{WHAT}: {folder} has no sub-folder {sub_folder!r}; expected {LAYOUT}"
            )
    return Photo(entry.path, Concept(parents[-1], parents[0] if len(parents) == 2 else ""), kind)


def _hashes(paths: Sequence[Path]) -> set[str]:
    return {content_hash(path) for path in paths} - {""}
