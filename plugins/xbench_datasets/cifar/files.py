"""The official files of CIFAR-10 and CIFAR-100, binary and Python version."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, UInt8

from xbench import DatasetError, UsageError, read_pickle
from xbench_datasets.picture_table import Pictures

SIDE = 32
PIXELS = 3 * SIDE * SIDE
"""Bytes of an image: red, then green, then blue, each row after row."""
BYTE = 256
AT_ONCE = 5000
"""How many images of a file are in memory while they are hashed."""


class Version(NamedTuple):
    """One way in which a dataset is published."""

    folder: str
    """The folder that its archive unpacks to."""
    files: Mapping[str, tuple[str, ...]]
    """By split."""


class Form(NamedTuple):
    """What both versions of a dataset have in common."""

    what: str
    images: int
    """In each file of the split train."""
    labels: tuple[str, ...]
    """Names of an image's labels in the Python version, in the order of their bytes in the
    binary one; the last is its class."""
    classes: int
    above: tuple[int, ...]
    """For each class the first of an image's two labels; () where there is one label."""
    way_out: str


class Records(NamedTuple):
    """What is in a file."""

    pixels: UInt8[np.ndarray, "n 3072"]
    labels: Int64[np.ndarray, "n kinds"]


class Blocks(Pictures):
    """Images that lie in several tables, one after another."""

    def __init__(self, blocks: Sequence[UInt8[np.ndarray, "_ 3072"]]) -> None:
        self._blocks = blocks
        self._starts = np.cumsum([0, *map(len, blocks)])

    def size(self) -> tuple[int, int]:
        """32 × 32."""
        return SIDE, SIDE

    def pixels(self, places: Int64[np.ndarray, " n"]) -> UInt8[np.ndarray, "n 3 32 32"]:
        """The images at these places."""
        pixels = np.empty((len(places), PIXELS), np.uint8)
        of = np.searchsorted(self._starts, places, side="right") - 1
        for number in np.unique(of):
            rows = of == number
            pixels[rows] = self._blocks[number][places[rows] - self._starts[number]]
        return pixels.reshape(-1, 3, SIDE, SIDE)

    def content(self) -> Iterator[np.ndarray]:
        """The pixels, the same for both versions."""
        for block in self._blocks:
            for start in range(0, len(block), AT_ONCE):
                yield block[start : start + AT_ONCE]


def version_folder(root: Path, versions: Sequence[Version], form: Form) -> tuple[Path, Version]:
    """The folder with the files and its version; `DatasetError` says what is missing."""
    for version in versions:
        first = next(iter(version.files.values()))[0]
        for folder in (root, root / version.folder):
            if (folder / first).is_file():
                return folder, version
    names = " or ".join(version.folder for version in versions)
    raise DatasetError(f"{form.what}: {root} neither is nor holds {names}. {form.way_out}")


def read_records(file: Path, count: int, form: Form) -> Records:
    """The images and labels of a file; `DatasetError` where it is missing, damaged or wrong."""
    try:
        stat = file.stat()
    except OSError as error:
        raise DatasetError(f"{form.what}: {file} is not there. {form.way_out}") from error
    return _read_records(file, count, form, stat.st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _read_records(file: Path, count: int, form: Form, changed: int) -> Records:
    records = (_mapped if file.suffix == ".bin" else _unpickled)(file, count, form)
    label = records.labels[:, -1]
    if len(wrong := np.flatnonzero((label < 0) | (label >= form.classes))):
        raise _wrong(
            form, file, f"image {wrong[0]} has the label {label[wrong[0]]} of {form.classes}"
        )
    above = np.array(form.above)[label] if form.above else label
    if len(wrong := np.flatnonzero(records.labels[:, 0] != above)):
        first, last = records.labels[wrong[0]]
        raise _wrong(
            form,
            file,
            f"image {wrong[0]} has the labels {first} and {last}, which contradict each other",
        )
    return records


def _mapped(file: Path, count: int, form: Form) -> Records:
    """The binary version; pixels stay in the file and are read where they are used."""
    kinds = len(form.labels)
    expected = count * (kinds + PIXELS)
    if (size := file.stat().st_size) != expected:
        raise _wrong(form, file, f"it has {size} bytes, expected {expected}")
    table = np.memmap(file, np.uint8, "r", shape=(count, kinds + PIXELS))
    return Records(table[:, kinds:], table[:, :kinds].astype(np.int64))


def _unpickled(file: Path, count: int, form: Form) -> Records:
    """The Python version, without running what is in the file."""
    try:
        value = read_pickle(file, form.what)
    except UsageError as error:
        raise DatasetError(f"{error}. {form.way_out}") from error
    if not isinstance(value, dict) or not {"data", *form.labels} <= value.keys():
        raise _wrong(form, file, f"it should hold data and {' and '.join(form.labels)}")
    pixels = value["data"]
    if not (isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8):
        raise _wrong(form, file, "data should be an array of bytes")
    if pixels.shape != (count, PIXELS):
        shape = " × ".join(map(str, pixels.shape))
        raise _wrong(form, file, f"data is {shape}, expected {count} × {PIXELS}")
    labels = [_column(file, count, form, value, name) for name in form.labels]
    return Records(pixels, np.stack(labels, axis=1))


def _column(
    file: Path, count: int, form: Form, value: Mapping[str, object], name: str
) -> Int64[np.ndarray, " n"]:
    numbers = value[name]
    if not isinstance(numbers, list) or len(numbers) != count or {*map(type, numbers)} != {int}:
        raise _wrong(form, file, f"{name} should be a list of {count} whole numbers")
    if max(numbers, key=abs) not in range(-BYTE, BYTE):
        raise _wrong(form, file, f"{name} has numbers that no byte holds")
    return np.array(numbers, np.int64)


def _wrong(form: Form, file: Path, what: str) -> DatasetError:
    return DatasetError(f"{form.what}: {file}: {what}. {form.way_out}")
