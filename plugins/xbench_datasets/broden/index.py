"""Broden's tables: which images there are, which labels, and where masks of them lie."""

import functools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from xbench import DatasetError, TableRow, line_error, read_rows

WHAT = "dataset 'broden'"
IMAGE_FIELDS = ("image", "split", "ih", "iw", "sh", "sw")
LABEL_FIELDS = ("number", "name", "category", "frequency")
SPLITS = ("train", "val")
CATEGORY = re.compile(r"([^()]+)\((\d+)\)")
MOST_LABELS = 1 << 16
"""Masks have two bytes for a label."""

Row = TypeVar("Row")


class Picture(NamedTuple):
    """One image of the index."""

    path: str
    split: str
    height: int
    width: int
    labels: Mapping[str, tuple[int, ...]]
    """Labels of the whole image by category, the dominant one first."""
    masks: Mapping[str, tuple[str, ...]]
    """Files of masks by category, relative to images/."""

    @property
    def source(self) -> str:
        """The dataset that the image comes from."""
        return self.path.partition("/")[0]

    def annotated(self, category: str) -> bool:
        """Whether anything is said of the image in this category."""
        return bool(self.labels.get(category) or self.masks.get(category))


class Label(NamedTuple):
    """A label, and in how many images it is found."""

    number: int
    name: str
    images: int
    categories: Mapping[str, int]
    """How many images have it by category."""

    @property
    def category(self) -> str:
        """The category in which most images have it; of several the first."""
        return max(self.categories, key=lambda name: self.categories[name])


@dataclass(frozen=True, eq=False)
class Index:
    """Images and labels; files are listed in no order of meaning."""

    pictures: tuple[Picture, ...]
    labels: Mapping[int, Label]
    categories: tuple[str, ...]


def read_index(folder: Path) -> Index:
    """The tables in a folder; `DatasetError` names the file and line that is wrong."""
    files = [folder / "index.csv", folder / "label.csv"]
    if absent := [file for file in files if not file.is_file()]:
        raise DatasetError(f"{absent[0]} is not there")
    return _read(folder, tuple(file.stat().st_mtime_ns for file in files))


@functools.lru_cache(maxsize=2)
def _read(folder: Path, changed: tuple[int, ...]) -> Index:
    labels = _labels(folder / "label.csv")
    names, pictures = _pictures(folder / "index.csv", labels)
    return Index(pictures, labels, names)


def _labels(path: Path) -> dict[int, Label]:
    _, labels = _rows(path, LABEL_FIELDS, _label)
    number, times = (
        Counter(label.number for label in labels).most_common(1)[0] if labels else (0, 1)
    )
    if times > 1:
        raise DatasetError(f"{path}: label {number} stands twice")
    return {label.number: label for label in labels}


def _label(row: Mapping[str, str]) -> Label:
    parts = [CATEGORY.fullmatch(part) for part in row["category"].split(";")]
    if not all(parts):
        raise ValueError(
            f"categories should be such as object(12);part(3), found {row['category']!r}"
        )
    number, categories = _whole(row, "number"), {m[1]: int(m[2]) for m in parts if m}
    if not 0 < number < MOST_LABELS:
        raise ValueError(f"number should be from 1 to {MOST_LABELS - 1}, found {number}")
    return Label(number, row["name"], _whole(row, "frequency"), categories)


def _pictures(
    path: Path, labels: Mapping[int, Label]
) -> tuple[tuple[str, ...], tuple[Picture, ...]]:
    fields, pictures = _rows(path, IMAGE_FIELDS, lambda row: _picture(row, labels))
    if len({picture.path for picture in pictures}) < len(pictures):
        raise DatasetError(f"{path}: an image stands twice")
    return tuple(name for name in fields if name not in IMAGE_FIELDS), tuple(pictures)


def _picture(row: Mapping[str, str], known: Mapping[int, Label]) -> Picture:
    if row["split"] not in SPLITS:
        raise ValueError(f"split should be train or val, found {row['split']!r}")
    cells = {
        name: [item for item in text.split(";") if item]
        for name, text in row.items()
        if name not in IMAGE_FIELDS and text
    }
    labels = {name: tuple(int(i) for i in items if i.isdecimal()) for name, items in cells.items()}
    if unknown := {number for numbers in labels.values() for number in numbers} - known.keys():
        raise ValueError(f"label {min(unknown)} is not in label.csv")
    masks = {name: tuple(i for i in items if not i.isdecimal()) for name, items in cells.items()}
    height, width = _whole(row, "ih"), _whole(row, "iw")
    return Picture(row["image"], row["split"], height, width, _filled(labels), _filled(masks))


def _filled(cells: Mapping[str, tuple[Row, ...]]) -> dict[str, tuple[Row, ...]]:
    return {name: items for name, items in cells.items() if items}


def _whole(row: Mapping[str, str], name: str) -> int:
    if not row[name].isdecimal():
        raise ValueError(f"{name} should be a whole number, found {row[name]!r}")
    return int(row[name])


def _rows(
    path: Path, needed: Sequence[str], parse: Callable[[Mapping[str, str]], Row]
) -> tuple[list[str], list[Row]]:
    """The names of the columns, and what is made of each row."""
    head, *rows = [row for row in read_rows(path, ",") if row.cells] or [TableRow(1, [])]
    fields = head.cells
    if lacking := [name for name in needed if name not in fields]:
        message = f"expected the columns {', '.join(needed)}; {lacking[0]} is lacking"
        raise line_error(path, 1, message)
    return fields, [_record(path, fields, row, parse) for row in rows]


def _record(
    path: Path, fields: Sequence[str], row: TableRow, parse: Callable[[Mapping[str, str]], Row]
) -> Row:
    if len(row.cells) != len(fields):
        raise line_error(path, row.line, f"expected {len(fields)} fields")
    try:
        return parse(dict(zip(fields, row.cells, strict=True)))
    except ValueError as error:
        raise line_error(path, row.line, str(error)) from error
