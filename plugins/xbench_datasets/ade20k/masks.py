"""The label maps of ADE20K: which of the listed objects each pixel shows."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int16, UInt8
from PIL import Image
from torch import Tensor

from xbench import PHOTO_DAMAGE, DatasetError, photo_size
from xbench_datasets.ade20k.lists import OBJECTS, Objects

NOTHING = -1
"""Stands for pixels without an object, or with one that is not listed."""
TENS, BLOCK = 10, 256
"""Full label maps hold class R // 10 · 256 + G."""
NUMBERS = (255 // TENS + 1) * BLOCK
Named = Mapping[int, str]
"""Names of objects by their number in full label maps."""


def listed_objects(path: Path, objects: Objects, what: str) -> Int16[np.ndarray, "h w"]:
    """A label map of SceneParsing-150: 0 is nothing, then the objects in the list's order."""
    values = _pixels(path, what, ("L", "P"))
    count = len(objects.names)
    if values.max(initial=0) > count:
        x, y = _first(values > count)
        raise DatasetError(
            f"{what}: {path} shows object {values[y, x]} at x={x}, y={y},"
            f" but {OBJECTS} lists 1 to {count}"
        )
    return values.astype(np.int16) - 1


def named_objects(
    path: Path, names: Named, source: Path, objects: Objects, what: str
) -> Int16[np.ndarray, "h w"]:
    """A full label map whose objects `names` names, as read from `source`."""
    channels = _pixels(path, what, ("RGB", "RGBA"))
    numbers = channels[:, :, 0].astype(np.int64) // TENS * BLOCK + channels[:, :, 1]
    places = np.full(NUMBERS, NOTHING, np.int16)
    for number in np.flatnonzero(np.bincount(numbers.ravel(), minlength=NUMBERS)).tolist():
        if number in names:
            places[number] = objects.place(names[number])
        elif number:
            x, y = _first(numbers == number)
            raise DatasetError(
                f"{what}: {path} shows object {number} at x={x}, y={y}, which {source} lacks"
            )
    return places[numbers]


def checked_mask(
    mask: Int16[np.ndarray, "h w"], path: Path, image: Path, what: str
) -> Int16[Tensor, "h w"]:
    """The label map, or `DatasetError` if it has another size than its image."""
    height, width = photo_size(image, what)
    if mask.shape != (height, width):
        raise DatasetError(
            f"{what}: label map {path} is {mask.shape[1]}×{mask.shape[0]} pixels,"
            f" but its image {image} is {width}×{height}"
        )
    return torch.from_numpy(mask)


def objects_shown(mask: Int16[np.ndarray, "h w"], objects: Objects) -> Bool[np.ndarray, " objects"]:
    """Which of the objects at least one pixel shows."""
    counts = np.bincount(mask.ravel() + 1, minlength=len(objects.names) + 1)
    return counts[1:] > 0


def read_annotation(path: Path, what: str) -> Named:
    """Names of the objects in an image's JSON, by number; it must name a scene too."""
    try:
        annotation: dict[str, Any] = json.loads(path.read_bytes())["annotation"]
        names = {int(item["name_ndx"]): str(item["name"]) for item in annotation["object"]}
    except FileNotFoundError as error:
        raise DatasetError(f"{what}: {path} is missing") from error
    except (ValueError, KeyError, TypeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise DatasetError(
            f"{what}: {path} should hold an annotation with objects, each with name and"
            f" name_ndx: {reason}"
        ) from error
    scene = annotation.get("scene")
    if not isinstance(scene, list) or not scene or not all(isinstance(s, str) for s in scene):
        raise DatasetError(f"{what}: {path} has no scene")
    return names


def _pixels(path: Path, what: str, modes: tuple[str, ...]) -> UInt8[np.ndarray, "..."]:
    """The values as stored; `DatasetError` for a missing, damaged or other file."""
    try:
        with Image.open(path) as image:
            mode, pixels = image.mode, np.array(image)
    except FileNotFoundError as error:
        raise DatasetError(f"{what}: label map {path} is missing") from error
    except PHOTO_DAMAGE as error:
        raise DatasetError(f"{what}: {path} does not decode as an image: {error}") from error
    if mode not in modes:
        raise DatasetError(f"{what}: label map {path} has mode {mode}, expected {modes[0]}")
    return pixels


def _first(where: Bool[np.ndarray, "h w"]) -> tuple[int, int]:
    """X and y of the first pixel where something holds."""
    y, x = np.unravel_index(int(where.argmax()), where.shape)
    return int(x), int(y)
