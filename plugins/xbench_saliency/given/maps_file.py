"""Files of maps that were made elsewhere: of which images, and of which classes they speak."""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int64

from xbench import MismatchError, read_arrays

MAPS = "maps"
NEEDED = (MAPS, "ids", "classes")
NUMBERS = ("ids", "classes", "against")
ADVICE = (
    "write such a file with numpy.savez(path, maps=maps, ids=ids, classes=classes), arrays of "
    "numbers alone"
)
CHUNK = 256
"""Maps that are looked at together."""


class MapsFile(NamedTuple):
    """What a file holds, and where the map of each image stands."""

    maps: Float32[np.ndarray, "n h w"]
    classes: Int64[np.ndarray, " n"]
    against: Int64[np.ndarray, " n"] | None
    places: dict[int, int]


@functools.lru_cache(maxsize=2)
def read_maps(path: Path, content: str) -> MapsFile:
    """The maps in a `.npz` file; `UsageError` or `MismatchError` where they are none.

    `maps` (n, height, width), `ids` (n) of the images, `classes` (n) that the maps speak for, from
    0 on; and, if wanted, `against` (n), the class that each is contrasted with, −1 for none.
    Whatever the maps' size is, it is taken to cover the whole image. `content` is a hash of the
    file.
    """
    arrays = read_arrays(path, MAPS, (MAPS,), NUMBERS, ADVICE)
    for name in NEEDED:
        if name not in arrays:
            raise MismatchError(f"{path} has no array {name!r}; {ADVICE}")
    maps = _checked_maps(path, arrays[MAPS])
    numbers = {n: _whole(path, n, arrays[n], len(maps)) for n in NUMBERS if n in arrays}
    ids = numbers["ids"].tolist()
    places = {image: place for place, image in enumerate(ids)}
    if len(places) < len(ids):
        twice = next(image for image in ids if ids.count(image) > 1)
        raise MismatchError(f"{path}: ids has image {twice} more than once")
    return MapsFile(maps, numbers["classes"], numbers.get("against"), places)


@functools.cache
def check_maps(path: Path, content: str) -> None:
    """Refuse a file as `read_maps` does; each content once, without keeping its maps."""
    read_maps(path, content)


def _checked_maps(path: Path, maps: np.ndarray) -> Float32[np.ndarray, "n h w"]:
    if maps.ndim != 3 or 0 in maps.shape[1:]:
        shape = " × ".join(map(str, maps.shape)) or "a single number"
        raise MismatchError(f"{path}: maps is {shape}; it needs images × height × width")
    if maps.dtype.kind not in "iuf":
        raise MismatchError(f"{path}: maps has values of type {maps.dtype}, not numbers")
    made = maps.astype(np.float32)
    for start in range(0, len(made), CHUNK):
        bad = np.flatnonzero(~np.isfinite(made[start : start + CHUNK]).all((1, 2)))
        if len(bad):
            raise MismatchError(f"{path}: maps[{start + bad[0]}] holds NaN or infinite values")
    return made


def _whole(path: Path, name: str, array: np.ndarray, count: int) -> Int64[np.ndarray, " n"]:
    if array.shape != (count,):
        shape = " × ".join(map(str, array.shape)) or "a single number"
        raise MismatchError(f"{path}: {name} is {shape}, but there are {count} maps")
    if array.dtype.kind not in "iu":
        raise MismatchError(f"{path}: {name} are of type {array.dtype}; they are whole numbers")
    return array.astype(np.int64)
