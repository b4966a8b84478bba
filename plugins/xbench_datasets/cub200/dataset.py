"""CUB-200-2011: photographs of 200 bird species with points and attributes of their parts."""

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from xbench import (
    ClassAttributes,
    DatasetError,
    Download,
    ObjectBoxes,
    ParameterError,
    PartAttribute,
    PartPoints,
    UnknownNameError,
    damaged_photos,
    data_home,
    location,
)
from xbench_datasets.cub200 import attributes as cub_attributes
from xbench_datasets.cub200 import files as cub_files
from xbench_datasets.cub200.files import Annotations, ImageAttributes
from xbench_datasets.downloads import put_into
from xbench_datasets.missing_files import file_sizes, lacking
from xbench_datasets.photo_files import PhotoFile, PhotoFiles
from xbench_datasets.way_out import explained, option

WHAT = "dataset 'cub200'"
ARCHIVE = Download(
    url="https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
    size=1150585339,
    checksum="md5:97eceeb196236b17998738112f37df78",
    target="CUB_200_2011",
    licence="for non-commercial research and education; the photographs belong to their owners",
    homepage="https://data.caltech.edu/records/65de6-vp158",
    most_members=20_000,
    most_bytes=4 << 30,
)
WAY_OUT = f"`xbench data get cub200` fetches the data; {option('cub200')} says where a copy is."


@dataclass(frozen=True)
class Cub200(PhotoFiles, PartPoints, ObjectBoxes, ClassAttributes):
    """Photographs of 200 species of birds, with their parts, attributes and boxes.

    The official folder layout; ids are the official image ids. The annotation files count
    pixels from 0 at the top left and name whole pixels; a part point is the middle of its
    pixel, so 0.5 is added to both coordinates.
    """

    name: ClassVar[str] = "cub200"

    root: str = location("")
    """The folder `CUB_200_2011` or the one that holds it; "" for the data folder's."""
    classes: int = 0
    """Only the first so many classes; 0 for all."""
    attribute_table: Literal["current", "earlier"] = "current"
    """Which attributes count for which part: the current table or an earlier version."""

    def __post_init__(self) -> None:
        """Refuse a negative number of classes."""
        if self.classes < 0:
            raise ValueError(f"classes should be 0 or more, got {self.classes}")

    def folder(self) -> Path:
        """The folder with `images.txt`, whether `root` is that one or holds it."""
        root = Path(self.root).expanduser() if self.root else data_home() / ARCHIVE.target
        nested = root / "CUB_200_2011"
        inside = nested.is_dir() and not (root / "images.txt").exists()
        return (nested if inside else root).absolute()

    def check(self) -> None:
        """Name missing files, and lines of annotation files that are wrong."""
        self._annotations()
        self._image_sizes()

    def verify(self) -> list[str]:
        """Every missing annotation file or image, and every image that does not decode."""
        folder = self.folder()
        if lines := [f"missing: {folder / name}" for name in cub_files.missing(folder)]:
            return lines
        try:
            annotations = self._annotations()
        except DatasetError as error:
            return [str(error)]
        return damaged_photos(
            [folder / "images" / annotations.paths[row] for row in self._class_rows()]
        )

    def downloads(self) -> tuple[Download, ...]:
        """The official archive, unpacked to `root`."""
        return (put_into(ARCHIVE, self.root),)

    def fingerprint(self) -> str:
        """A hash of the annotation files' content and of the images' paths and sizes in bytes."""
        annotations, digest = self._annotations(), hashlib.sha256()
        digest.update(cub_files.digest(self.folder()).encode())
        for row, size in zip(self._class_rows(), self._image_sizes(), strict=True):
            digest.update(f"{annotations.paths[row]} {size}\n".encode())
        return digest.hexdigest()[:32]

    def class_names(self) -> tuple[str, ...]:
        """Names of the species, such as "Black footed Albatross"."""
        names = self._annotations().classes[: self.classes or None]
        return tuple(name.partition(".")[2].replace("_", " ") or name for name in names)

    def splits(self) -> tuple[str, ...]:
        """The official split."""
        return "train", "test"

    def ids(self, split: str) -> Sequence[int]:
        """Official ids of the split's images, ascending as in `images.txt`."""
        if split not in self.splits():
            raise UnknownNameError("split of cub200", split, self.splits())
        annotations, rows = self._annotations(), self._class_rows()
        return annotations.ids[rows[annotations.training[rows] == (split == "train")]].tolist()

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The species of each image, counted from 0."""
        return torch.from_numpy(self._annotations().labels[self._rows(ids)])

    def photos(self, ids: Sequence[int]) -> list[PhotoFile]:
        """The photographs as `images.txt` names them."""
        folder, paths = self.folder() / "images", self._annotations().paths
        rows = zip(ids, self._rows(ids), strict=True)
        return [PhotoFile(folder / paths[row], f"{WHAT}, image {image}") for image, row in rows]

    def part_names(self) -> tuple[str, ...]:
        """The fifteen parts."""
        return self._annotations().parts

    def part_points(self, ids: Sequence[int]) -> Float[Tensor, "n parts 3"]:
        """The middle of each part's pixel, and whether the part is visible."""
        points = torch.from_numpy(self._annotations().points[self._rows(ids)])
        points[..., :2] += 0.5
        return points

    def object_boxes(self, ids: Sequence[int]) -> Float[Tensor, "n 4"]:
        """The box around each bird, cut to the photograph: a few of the files' reach over it.

        `DatasetError` for a box that lies outside.
        """
        boxes = torch.from_numpy(self._annotations().boxes[self._rows(ids)])
        sides = torch.tensor([size[::-1] for size in self.sizes(ids)]).reshape(-1, 2)
        first, last = boxes[:, :2].clamp(min=0), (boxes[:, :2] + boxes[:, 2:]).minimum(sides)
        outside = (last <= first).any(dim=1).nonzero().flatten().tolist()
        if outside:
            raise _outside(self.folder(), ids[outside[0]], boxes[outside[0]], sides[outside[0]])
        return torch.cat([first, last - first], dim=1)

    def class_attributes(self) -> tuple[PartAttribute, ...]:
        """Percentages as the annotators gave them; paired parts share their attributes."""
        annotations = self._annotations()
        table = cub_attributes.TABLES[self.attribute_table]
        groups = cub_attributes.groups(annotations.attributes)
        frequencies = torch.from_numpy(annotations.percentages[: self.classes or None])
        return tuple(
            PartAttribute(index, name, groups[name].values, frequencies[:, groups[name].columns])
            for index, part in enumerate(annotations.parts)
            for name in table[cub_attributes.KINDS.get(part, part)]
        )

    def image_attributes(self, ids: Sequence[int]) -> ImageAttributes:
        """What an annotator said of all 312 attributes in each image; not in every copy."""
        rows = self._rows(ids)
        return ImageAttributes(*(x[rows] for x in cub_files.image_attributes(self.folder())))

    def _annotations(self) -> Annotations:
        folder = self.folder()
        if absent := cub_files.missing(folder):
            raise _error(folder, absent)
        with explained(WHAT, WAY_OUT):
            annotations = cub_files.load(folder)
            _require_known(folder, annotations)
        if self.classes > len(annotations.classes):
            count = len(annotations.classes)
            raise ParameterError(f"cub200: classes is {self.classes}, but there are {count}")
        return annotations

    def _class_rows(self) -> Int64[np.ndarray, " n"]:
        """Rows of the images whose class counts."""
        labels = self._annotations().labels
        return np.flatnonzero(labels < (self.classes or len(labels) + 1))

    def _rows(self, ids: Sequence[int]) -> list[int]:
        rows = self._annotations().rows
        for image in ids:
            if image not in rows:
                raise UnknownNameError("image id of cub200", str(image), ())
        return [rows[image] for image in ids]

    def _image_sizes(self) -> list[int]:
        """Bytes of each image file; `DatasetError` names those that are missing."""
        folder, paths = self.folder(), self._annotations().paths
        names = [f"images/{paths[row]}" for row in self._class_rows()]
        sizes = file_sizes(
            folder, tuple(sorted({str(PurePosixPath(name).parent) for name in names}))
        )
        if absent := [name for name in names if name not in sizes]:
            raise _error(folder, absent)
        return [sizes[name] for name in names]


def _error(folder: Path, absent: Sequence[str]) -> DatasetError:
    return DatasetError(f"{WHAT}: {lacking(folder, absent)}. {WAY_OUT}")


def _outside(folder: Path, image: int, box: Tensor, sides: Tensor) -> DatasetError:
    x, y, width, height = (f"{value:g}" for value in box.tolist())
    photo = "×".join(map(str, sides.tolist()))
    return DatasetError(
        f"{WHAT}: {folder / 'bounding_boxes.txt'}: the box of image {image} ({width}×{height} at "
        f"x = {x}, y = {y}) lies outside its photograph of {photo} pixels. {WAY_OUT}"
    )


@functools.lru_cache(maxsize=4)
def _require_known(folder: Path, annotations: Annotations) -> None:
    """The table speaks of parts and attributes by name: all of them must be there."""
    parts = {cub_attributes.KINDS.get(part, part) for part in annotations.parts}
    if unknown := sorted(parts - set(cub_attributes.CURRENT)):
        raise DatasetError(f"{folder / 'parts/parts.txt'}: unknown part {unknown[0]!r}")
    needed = {name for part in parts for name in cub_attributes.CURRENT[part]}
    if lacking := sorted(needed - set(cub_attributes.groups(annotations.attributes))):
        raise DatasetError(f"{folder}: attributes.txt has no has_{lacking[0]}")
