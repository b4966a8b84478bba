"""FunnyBirds: rendered birds whose parts are known, and can be taken away."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Bool, Int16, Int64, UInt8
from torch import Tensor

from xbench import (
    ClassAttributes,
    DatasetError,
    ParameterError,
    PartAttribute,
    PartMasks,
    PartRemovals,
    UnknownNameError,
    damaged_photos,
    data_home,
    decode_photo,
    location,
)
from xbench_datasets.funnybirds.index import PARTS, SPLITS, Index, read_index
from xbench_datasets.funnybirds.masks import COLOURS, part_mask
from xbench_datasets.missing_files import file_sizes, lacking
from xbench_datasets.photo_files import PhotoFile, PhotoFiles
from xbench_datasets.way_out import explained, option

WHAT = "dataset 'funnybirds'"
NESTED, SUFFIX = "FunnyBirds", ".png"
SPAN = 1_000_000
"""Added to the numbers of test images."""
WAY_OUT = (
    "https://github.com/visinf/funnybirds-framework says where the data is;"
    f" {option('funnybirds')} says where its folder is."
)


class Place(NamedTuple):
    """Where the files of an image lie."""

    split: str
    label: int
    number: int

    def path(self, folder: str) -> str:
        """That of the image, or of its part map, in one of the folders of its split."""
        return f"{folder}/{self.label}/{self.number:06d}{SUFFIX}"

    def without(self, kept: Sequence[str]) -> str:
        """That of its picture with these parts alone."""
        parts = "_".join(sorted(kept))
        return f"{self.split}_interventions/{self.label}/{self.number:06d}/body_{parts}{SUFFIX}"


@dataclass(frozen=True)
class FunnyBirds(PhotoFiles, PartMasks, PartRemovals, ClassAttributes):
    """Rendered birds of fifty classes that differ in beak, eye, foot, tail and wing.

    The layout of the public archive. Ids are the official numbers, those of test images plus
    1 000 000.
    """

    name: ClassVar[str] = "funnybirds"
    exact_removals = False
    """Edges are smooth in pictures and not in part maps."""

    root: str = location("")
    """The folder with classes.json or the one that holds it; "" for the data folder's."""

    def folder(self) -> Path:
        """The folder with the classes, whether `root` is that one or holds it."""
        root = Path(self.root).expanduser() if self.root else data_home()
        nested = root / NESTED
        return (nested if nested.is_dir() or not self.root else root).absolute()

    def check(self) -> None:
        """Name images that are missing, and entries of the lists that are wrong."""
        names = [place.path(place.split) for place in self._places(self._all_ids())]
        sizes = file_sizes(self.folder(), _parents(names))
        if absent := [name for name in names if name not in sizes]:
            lack = lacking(self.folder(), absent, "an image", "images")
            raise DatasetError(f"{WHAT}: {lack}. {WAY_OUT}")

    def verify(self) -> list[str]:
        """Every missing or damaged image or part map, and damaged picture without parts."""
        try:
            places = self._places(self._all_ids())
        except DatasetError as error:
            return [str(error)]
        names = [p.path(folder) for p in places for folder in (p.split, f"{p.split}_part_map")]
        names += file_sizes(self.folder(), _interventions(places))
        pictures = [name for name in names if name.endswith(SUFFIX)]
        return damaged_photos([self.folder() / name for name in pictures])

    def fingerprint(self) -> str:
        """A hash of the lists' content, and of the path and size in bytes of each picture."""
        places, digest = self._places(self._all_ids()), hashlib.sha256()
        names = [p.path(folder) for p in places for folder in (p.split, f"{p.split}_part_map")]
        digest.update(self._index().digest.encode())
        sizes = file_sizes(self.folder(), [*_parents(names), *_interventions(places)])
        for name, size in sorted(sizes.items()):
            digest.update(f"{name} {size}\n".encode())
        return digest.hexdigest()[:32]

    def class_names(self) -> tuple[str, ...]:
        """Numbers, for the classes have no names."""
        return tuple(f"bird {label}" for label in range(len(self._index().classes)))

    def splits(self) -> tuple[str, ...]:
        """Those whose lists are there."""
        return tuple(self._index().labels)

    def ids(self, split: str) -> Sequence[int]:
        """Official numbers, those of test images plus a million."""
        if split not in self.splits():
            raise UnknownNameError("split of funnybirds", split, self.splits())
        first = SPLITS.index(split) * SPAN
        return range(first, first + len(self._index().labels[split]))

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The class of each image, as its list has it."""
        return torch.tensor([place.label for place in self._places(ids)], dtype=torch.int64)

    def photos(self, ids: Sequence[int]) -> list[PhotoFile]:
        """The pictures by class and number."""
        return [
            PhotoFile(self.folder() / place.path(place.split), f"{WHAT}, image {image}")
            for image, place in zip(ids, self._places(ids), strict=True)
        ]

    def mask_names(self) -> tuple[str, ...]:
        """The parts, as parts.json names them."""
        return tuple(self._index().parts)

    def part_masks(self, ids: Sequence[int]) -> Sequence[Int16[Tensor, "_ _"]]:
        """The part that each pixel of the part map shows; body and background are none."""
        names, sizes, folder = self.mask_names(), self.sizes(ids), self.folder()
        return [
            part_mask(folder / p.path(f"{p.split}_part_map"), names, size, f"{WHAT}, image {i}")
            for i, p, size in zip(ids, self._places(ids), sizes, strict=True)
        ]

    def images_without(
        self, ids: Sequence[int], removed: Bool[Tensor, "n parts"]
    ) -> Sequence[UInt8[Tensor, "3 _ _"]]:
        """The pictures that were rendered without the marked parts.

        The archive has them for all sets of parts of test images, and for no training image.
        """
        _check_marks(removed, (len(ids), len(self.mask_names())))
        images = zip(ids, self.photos(ids), self._places(ids), removed.tolist(), strict=True)
        return [
            self._without(image, place, marks) if any(marks) else decode_photo(*photo)
            for image, photo, place, marks in images
        ]

    def _without(self, image: int, place: Place, marks: Sequence[bool]) -> UInt8[Tensor, "3 h w"]:
        marked = list(zip(self.mask_names(), marks, strict=True))
        path = self.folder() / place.without([part for part, is_gone in marked if not is_gone])
        what = ", ".join(part for part, is_gone in marked if is_gone)
        if not path.is_file():
            raise DatasetError(
                f"{WHAT} has no picture of image {image} without {what}: {path} is missing. The"
                " public archive has pictures without parts of test images only, in"
                f" test_interventions. {WAY_OUT}"
            )
        return decode_photo(path, f"{WHAT}, image {image} without {what}")

    def class_attributes(self) -> tuple[PartAttribute, ...]:
        """Model and colour of each part, which all images of a class share."""
        index = self._index()
        return tuple(
            _attribute(index, place, part, key)
            for place, part in enumerate(index.parts)
            for key in index.parts[part][0]
        )

    def _index(self) -> Index:
        with explained(WHAT, WAY_OUT):
            index = read_index(self.folder())
            if unknown := [part for part in index.parts if part not in COLOURS]:
                known = ", ".join(COLOURS)
                raise DatasetError(
                    f"{self.folder() / PARTS} names a part {unknown[0]!r}; part maps show {known}"
                )
            return index

    def _all_ids(self) -> list[int]:
        return [image for split in self.splits() for image in self.ids(split)]

    def _places(self, ids: Sequence[int]) -> list[Place]:
        labels, places = self._index().labels, []
        for image in ids:
            split, number = SPLITS[min(max(image, 0) // SPAN, 1)], image % SPAN
            if not 0 <= image < 2 * SPAN or number >= len(labels.get(split, ())):
                raise UnknownNameError("image id of funnybirds", str(image), ())
            places.append(Place(split, labels[split][number], number))
        return places


def _attribute(index: Index, place: int, part: str, key: str) -> PartAttribute:
    values = tuple(dict.fromkeys(look[key] for look in index.parts[part]))
    shown = [values.index(index.parts[part][own[part]][key]) for own in index.classes]
    table = torch.nn.functional.one_hot(torch.tensor(shown), len(values)).double() * 100
    return PartAttribute(place, key, values, table)


def _parents(names: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name.rpartition("/")[0] for name in names))


def _interventions(places: Sequence[Place]) -> list[str]:
    """Folders with pictures without parts."""
    return _parents([place.without(()) for place in places])


def _check_marks(removed: Tensor, shape: tuple[int, int]) -> None:
    if tuple(removed.shape) != shape or removed.dtype != torch.bool:
        form = f"{str(removed.dtype).removeprefix('torch.')} of shape {tuple(removed.shape)}"
        raise ParameterError(f"{WHAT}: removed is {form}, but must be bool of shape {shape}")
