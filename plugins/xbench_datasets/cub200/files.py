"""The annotation files of CUB-200-2011, parsed and checked against each other."""

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from xbench import DatasetError, line_error, read_numbers
from xbench_datasets.cub200.lists import read_matrix, read_names, read_numbered, require

REQUIRED = (
    "images.txt",
    "classes.txt",
    "image_class_labels.txt",
    "train_test_split.txt",
    "bounding_boxes.txt",
    "parts/parts.txt",
    "parts/part_locs.txt",
    "attributes/class_attribute_labels_continuous.txt",
)
ATTRIBUTES = ("attributes.txt", "../attributes.txt", "attributes/attributes.txt")
"""Where the names of the attributes may lie; in the official archive beside the folder."""
IMAGE_ATTRIBUTES = "attributes/image_attribute_labels.txt"
"""Large, and not part of every copy; only `Cub200.image_attributes` needs it."""

BOX = "x", "y", "width", "height"
ALL, CERTAIN = 100, 4
"""The greatest percentage and the greatest certainty."""

Stamp = tuple[tuple[str, int, int], ...]
"""Name, time of change and size of each file: parsed files are kept until one of these changes."""


@dataclass(frozen=True, eq=False)
class Annotations:
    """Everything that the annotation files say, in the order of `images.txt`."""

    ids: Int64[np.ndarray, " n"]
    paths: tuple[str, ...]
    labels: Int64[np.ndarray, " n"]
    """Counted from 0."""
    training: Bool[np.ndarray, " n"]
    classes: tuple[str, ...]
    parts: tuple[str, ...]
    points: Float32[np.ndarray, "n parts 3"]
    """x, y and visibility, as in the file: x = 0 is the first column of pixels."""
    boxes: Float32[np.ndarray, "n 4"]
    """x, y, width and height."""
    attributes: tuple[str, ...]
    percentages: Float64[np.ndarray, "classes attributes"]

    @functools.cached_property
    def rows(self) -> dict[int, int]:
        """The row of each image id."""
        return {int(image): row for row, image in enumerate(self.ids)}


class ImageAttributes(NamedTuple):
    """What one annotator said of each image and attribute."""

    present: Bool[np.ndarray, "n attributes"]
    certainty: UInt8[np.ndarray, "n attributes"]
    """1 not visible, 2 guessing, 3 probably, 4 definitely; 0 where nothing was said."""


def missing(folder: Path) -> list[str]:
    """The annotation files that are not there."""
    absent = [name for name in REQUIRED if not (folder / name).is_file()]
    return absent if _attribute_names(folder) else [*absent, ATTRIBUTES[0]]


def load(folder: Path) -> Annotations:
    """The annotations; parsed again only if a file has changed."""
    return _load(folder, _stamp(folder, _files(folder)))


def digest(folder: Path) -> str:
    """A hash of the content of the annotation files."""
    return _digest(folder, _stamp(folder, _files(folder)))


def image_attributes(folder: Path) -> ImageAttributes:
    """The images' own attributes; `DatasetError` without their file."""
    if not (folder / IMAGE_ATTRIBUTES).is_file():
        raise DatasetError(f"{folder / IMAGE_ATTRIBUTES} is missing; images' attributes are there")
    return _image_attributes(folder, _stamp(folder, [*_files(folder), IMAGE_ATTRIBUTES]))


def _files(folder: Path) -> list[str]:
    return [*REQUIRED, _attribute_names(folder)]


def _attribute_names(folder: Path) -> str:
    return next((name for name in ATTRIBUTES if (folder / name).is_file()), "")


def _stamp(folder: Path, names: Sequence[str]) -> Stamp:
    stats = [(name, (folder / name).stat()) for name in names]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


@functools.lru_cache(maxsize=4)
def _digest(folder: Path, stamp: Stamp) -> str:
    whole_digest = hashlib.sha256()
    for name, _, _ in stamp:
        content = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        whole_digest.update(f"{Path(name).name} {content}\n".encode())
    return whole_digest.hexdigest()


@functools.lru_cache(maxsize=4)
def _load(folder: Path, stamp: Stamp) -> Annotations:
    images = read_numbered(folder / "images.txt")
    ids = np.array([image for image, _ in images], np.int64)
    _require_unique(folder / "images.txt", ids)
    classes = tuple(read_names(folder / "classes.txt"))
    parts = tuple(read_names(folder / "parts/parts.txt"))
    attributes = tuple(read_names(folder / stamp[-1][0]))
    percentages = folder / "attributes/class_attribute_labels_continuous.txt"
    return Annotations(
        ids,
        tuple(path for _, path in images),
        _labels(folder / "image_class_labels.txt", ids, len(classes)),
        _training(folder / "train_test_split.txt", ids),
        classes,
        parts,
        _points(folder / "parts/part_locs.txt", ids, len(parts)),
        _boxes(folder / "bounding_boxes.txt", ids),
        attributes,
        _percentages(percentages, len(classes), len(attributes)),
    )


def _labels(path: Path, ids: Int64[np.ndarray, " n"], classes: int) -> Int64[np.ndarray, " n"]:
    table = read_numbers(path, {"image": int, "class": int})
    labels = table["class"]
    good = (labels >= 1) & (labels <= classes)
    require(path, good, labels, f"class {{}} does not exist, classes.txt has 1 to {classes}")
    return labels[_one_row_each(path, ids, table["image"])] - 1


def _training(path: Path, ids: Int64[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    table = read_numbers(path, {"image": int, "is_training": int})
    flags = table["is_training"]
    require(path, np.isin(flags, (0, 1)), flags, "is_training should be 0 or 1, found {}")
    return flags[_one_row_each(path, ids, table["image"])] == 1


def _points(
    path: Path, ids: Int64[np.ndarray, " n"], parts: int
) -> Float32[np.ndarray, "n parts 3"]:
    columns = {"image": int, "part": int, "x": float, "y": float, "visible": int}
    table = read_numbers(path, columns)
    part, visible = table["part"], table["visible"]
    require(path, np.isin(visible, (0, 1)), visible, "visible should be 0 or 1, found {}")
    good = (part >= 1) & (part <= parts)
    require(path, good, part, f"part {{}} does not exist, parts.txt has 1 to {parts}")
    rows = _rows(path, ids, table["image"])
    cells = rows * parts + part - 1
    _require_once(
        path, cells, len(ids) * parts, lambda c: f"part {c % parts + 1} of image {ids[c // parts]}"
    )
    points = np.zeros((len(ids), parts, 3), np.float32)
    points[rows, part - 1] = np.stack([table["x"], table["y"], visible], axis=1)
    return points


def _boxes(path: Path, ids: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n 4"]:
    table = read_numbers(path, {"image": int, **dict.fromkeys(BOX, float)})
    for side in BOX[2:]:
        require(path, table[side] > 0, table[side], f"{side} should be above 0, found {{}}")
    for place, side in zip(BOX[:2], BOX[2:], strict=True):
        end = table[place] + table[side]
        require(path, end > 0, end, f"{place} + {side} is {{}}: the box lies outside the image")
    boxes = np.stack([table[name] for name in BOX], axis=1).astype(np.float32)
    return boxes[_one_row_each(path, ids, table["image"])]


def _percentages(path: Path, classes: int, attributes: int) -> Float64[np.ndarray, "c a"]:
    matrix = read_matrix(path, classes, attributes)
    good = np.all((matrix >= 0) & (matrix <= ALL), axis=1)
    worst = np.where(matrix.min(axis=1) < 0, matrix.min(axis=1), matrix.max(axis=1))
    require(path, np.asarray(good), worst, "a percentage should be from 0 to 100, found {}")
    return matrix


@functools.lru_cache(maxsize=1)
def _image_attributes(folder: Path, stamp: Stamp) -> ImageAttributes:
    path, annotations = folder / IMAGE_ATTRIBUTES, load(folder)
    columns = {"image": int, "attribute": int, "present": int, "certainty": int}
    table = read_numbers(path, columns, surplus="seconds")
    attribute, count = table["attribute"], len(annotations.attributes)
    good = (attribute >= 1) & (attribute <= count)
    require(path, good, attribute, f"attribute {{}} does not exist, there are 1 to {count}")
    present, certainty = table["present"], table["certainty"]
    require(path, np.isin(present, (0, 1)), present, "present should be 0 or 1, found {}")
    good = (certainty >= 1) & (certainty <= CERTAIN)
    require(path, good, certainty, "certainty should be from 1 to 4, found {}")
    cells = _rows(path, annotations.ids, table["image"]), attribute - 1
    answers = ImageAttributes(
        np.zeros((len(annotations.ids), count), bool),
        np.zeros((len(annotations.ids), count), np.uint8),
    )
    answers.present[cells] = present
    answers.certainty[cells] = certainty
    return answers


def _rows(path: Path, ids: np.ndarray, images: np.ndarray) -> np.ndarray:
    """The row of each image that a file speaks of."""
    order = np.argsort(ids)
    places = np.searchsorted(ids, images, sorter=order).clip(max=len(ids) - 1)
    rows = order[places]
    require(path, ids[rows] == images, images, "image {} is not in images.txt")
    return rows


def _one_row_each(path: Path, ids: np.ndarray, images: np.ndarray) -> np.ndarray:
    """For each id the row of a file that speaks of it."""
    rows = _rows(path, ids, images)
    _require_once(path, rows, len(ids), lambda row: f"image {ids[row]}")
    return np.argsort(rows)


def _require_once(path: Path, cells: np.ndarray, count: int, name: Callable[[int], str]) -> None:
    times = np.bincount(cells, minlength=count)
    if (absent := np.flatnonzero(times == 0)).size:
        raise DatasetError(f"{path}: {name(int(absent[0]))} is missing ({absent.size} in all)")
    if (double := np.flatnonzero(times > 1)).size:
        line = int(np.flatnonzero(cells == double[0])[1]) + 1
        raise line_error(path, line, f"{name(int(double[0]))} stands here a second time")


def _require_unique(path: Path, ids: np.ndarray) -> None:
    first = np.unique(ids, return_index=True)[1]
    again = np.setdiff1d(np.arange(len(ids)), first)
    if again.size:
        raise line_error(
            path, int(again[0]) + 1, f"image {ids[again[0]]} stands here a second time"
        )
