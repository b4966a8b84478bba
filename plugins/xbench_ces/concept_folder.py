"""Folders of positive and negative images: concepts of one's own."""

import functools
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import torch
from jaxtyping import Int64, UInt8
from torch import Generator, Tensor

from xbench import photos
from xbench.annotation import Concept, ConceptExamples, ConceptExamplesPair
from xbench.dataset import Dataset
from xbench.errors import DatasetError, UnknownNameError
from xbench.transform import Transform
from xbench_ces.concept_images import LEAST
from xbench_datasets.folder import CHEAP, SUFFIXES

KINDS = ("positive", "negative")
Kind = Literal["positive", "negative"]
SPLIT = "all"


class Photo(NamedTuple):
    """One image file of one concept, with what tells whether it has changed."""

    path: str
    concept: Concept
    kind: str
    size: int
    changed: int


@dataclass(frozen=True)
class ConceptFolder(Dataset, ConceptExamples):
    """`root/concept/positive/*.jpg` and `root/concept/negative/*.jpg`.

    Or `root/family/concept/…`; a concept without a family has the family "". Its classes are
    the concepts, and its images the positive ones. Photographs are turned upright as their
    EXIF orientation says; their short side becomes `size`, and their middle is cut out.
    """

    name: ClassVar[str] = "concept-folder"

    root: str = ""
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
        return photos.damaged([self._root() / photo.path for photo in self._photos()])

    def fingerprint(self) -> str:
        """A hash of paths and sizes, and of the content up to 256 MiB altogether."""
        return f"{_fingerprint(self._root(), self._photos())}-{self.size}"

    def class_names(self) -> tuple[str, ...]:
        """The concepts' names."""
        return tuple(concept.name for concept in self.concepts())

    def splits(self) -> tuple[str, ...]:
        """One, "all"."""
        return (SPLIT,)

    def ids(self, split: str) -> Sequence[int]:
        """Places of the positive images in the sorted list of all images."""
        if split != SPLIT:
            raise UnknownNameError(f"split of {self.root}", split, self.splits())
        return [place for place, photo in enumerate(self._photos()) if photo.kind == "positive"]

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The place of each image's concept in `class_names`."""
        places = {name: place for place, name in enumerate(self.class_names())}
        own = self._photos()
        return torch.tensor([places[own[image].concept.name] for image in ids], dtype=torch.int64)

    def images(  # type: ignore[override]
        self, ids: Sequence[int]
    ) -> UInt8[Tensor, "n 3 size size"]:
        """The images in RGB, square."""
        own = self._photos()
        return self._decoded([own[image] for image in ids])

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
        positive, negative = (self._drawn(name, kind, count, generator) for kind in KINDS)
        return ConceptExamplesPair(positive, negative)

    def _drawn(
        self, name: str, kind: str, count: int, generator: Generator
    ) -> UInt8[Tensor, "n 3 h w"]:
        own = self._of(name, kind)
        places = torch.randperm(len(own), generator=generator)[:count].tolist()
        return self._decoded([own[place] for place in places])

    def _of(self, name: str, kind: str) -> list[Photo]:
        return [p for p in self._photos() if p.concept.name == name and p.kind == kind]

    def _decoded(self, wanted: Sequence[Photo]) -> UInt8[Tensor, "n 3 h w"]:
        root, square = self._root(), Transform(self.size, self.size)
        found = torch.empty(len(wanted), 3, self.size, self.size, dtype=torch.uint8)
        for place, photo in enumerate(wanted):
            image = photos.decode(root / photo.path, f"dataset {self.name!r}", upright=True)
            found[place] = (square.image(image) * 255).round().byte()
        return found

    def _check_count(self, name: str, kind: str) -> None:
        count = len(self._of(name, kind))
        if count < LEAST:
            message = f"dataset {self.name!r}: concept {name!r} has {count} images in its folder "
            raise DatasetError(f"{message}{kind!r}; at least {LEAST} are needed")

    def _check_kinds(self, name: str) -> None:
        """Raise for the same files in both folders, by name and size and then by content."""
        both = [{(Path(p.path).name, p.size) for p in self._of(name, kind)} for kind in KINDS]
        if both[0] != both[1]:
            return
        content = [{_hash(self._root() / p.path) for p in self._of(name, kind)} for kind in KINDS]
        if content[0] == content[1]:
            message = f"dataset {self.name!r}: the folders 'positive' and 'negative' of concept "
            raise DatasetError(f"{message}{name!r} hold the same images")

    def _root(self) -> Path:
        if not self.root:
            raise DatasetError(
                f"dataset {self.name!r} needs a folder: {self.name}:FOLDER, or -p dataset.root="
            )
        root = Path(self.root).expanduser().absolute()
        if not root.is_dir():
            raise DatasetError(f"dataset {self.name!r}: {root} is no folder")
        return root

    def _photos(self) -> tuple[Photo, ...]:
        root = self._root()
        return _listed(root, tuple((str(f), f.stat().st_mtime_ns) for f in _tree(root)))


def _tree(root: Path) -> list[Path]:
    """The folder and those below it, four levels deep."""
    found = level = [root]
    for _ in range(3):
        level = [folder for parent in level for folder in _folders(parent)]
        found = found + level
    return found


def _folders(parent: Path) -> list[Path]:
    found = (Path(entry.path) for entry in os.scandir(parent) if entry.is_dir())
    return sorted(folder for folder in found if not folder.name.startswith("."))


@functools.lru_cache(maxsize=8)
def _listed(root: Path, times: tuple[tuple[str, int], ...]) -> tuple[Photo, ...]:
    """All images, sorted; listed anew when a folder changed."""
    found: list[Photo] = []
    for folder, concept in _concepts(root):
        for kind in KINDS:
            found += _images(root, folder / kind, concept, kind)
    return tuple(found)


def _concepts(root: Path) -> list[tuple[Path, Concept]]:
    found: dict[str, tuple[Path, Concept]] = {}
    for outer in _folders(root):
        inside = [outer] if _holds_kinds(outer) else _folders(outer)
        for folder in inside:
            concept = Concept(folder.name, outer.name if folder != outer else "")
            _check_folder(folder)
            if concept.name in found:
                message = f"dataset 'concept-folder': {found[concept.name][0]} and {folder} are "
                raise DatasetError(f"{message}concepts of one name; rename one of them")
            found[concept.name] = folder, concept
    if not found:
        message = f"dataset 'concept-folder': {root} should hold a folder for each concept, with "
        raise DatasetError(f"{message}images in its sub-folders 'positive' and 'negative'")
    return list(found.values())


def _holds_kinds(folder: Path) -> bool:
    return any((folder / kind).is_dir() for kind in KINDS)


def _check_folder(folder: Path) -> None:
    for kind in KINDS:
        if not (folder / kind).is_dir():
            message = f"dataset 'concept-folder': concept {folder} has no sub-folder {kind!r}"
            raise DatasetError(f"{message}; a concept needs 'positive' and 'negative'")


def _images(root: Path, folder: Path, concept: Concept, kind: str) -> list[Photo]:
    files = [file for file in os.scandir(folder) if file.name.lower().endswith(SUFFIXES)]
    stats = [(Path(file.path).relative_to(root).as_posix(), file.stat()) for file in files]
    return sorted(Photo(path, concept, kind, s.st_size, s.st_mtime_ns) for path, s in stats)


@functools.lru_cache(maxsize=8)
def _fingerprint(root: Path, listed: tuple[Photo, ...]) -> str:
    whole = hashlib.sha256()
    cheap = sum(photo.size for photo in listed) <= CHEAP
    for photo in listed:
        content = _hash(root / photo.path) if cheap else ""
        whole.update(f"{photo.path} {photo.size} {content}\n".encode())
    return whole.hexdigest()[:32]


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
