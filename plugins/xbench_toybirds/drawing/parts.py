"""Where parts are seen: visibility, points and masks, all read from the regions of a picture."""

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int8, Int16, Int64

from xbench_toybirds.drawing.render import GAP, SHAPE, render_regions
from xbench_toybirds.drawing.scene import FRAME, OCCLUDERS, Scenes
from xbench_toybirds.world import ATTRIBUTES, PARTS

SHARE = 0.5
"""How much of its usual area a part must show to be visible."""
SHAPE_SHARE = 0.85
"""How much of the area that a shape can take must show, where a shape is an attribute.

Regions are the same for all values of a part, so being visible says nothing of the class;
and so much of it shows that every value can be told from every other.
"""


class _Areas(NamedTuple):
    """Number of pixels in which each part, and the room for its shape, shows."""

    whole: Int64[np.ndarray, "n parts"]
    shape: Int64[np.ndarray, "n parts"]


def visibility(regions: Int8[np.ndarray, "n h w"], scenes: Scenes) -> Bool[np.ndarray, "n parts"]:
    """Whether enough of each part shows for all its attributes to be seen."""
    scale = (scenes.scale.astype(np.float64) ** 2 * scenes.stretch)[:, None] / USUAL_SCALE**2
    areas, usual_areas = _areas(regions), _usual_areas()
    enough = areas.whole >= np.maximum(SHARE * scale * usual_areas.whole, 1)
    return enough & (areas.shape >= SHAPE_SHARE * scale * usual_areas.shape)


def masks(regions: Int8[np.ndarray, "n h w"]) -> Int16[np.ndarray, "n h w"]:
    """The part that each pixel shows, −1 for none: gaps beside a shape show no part."""
    gap = (regions >= GAP) & (regions < SHAPE)
    return np.where(gap | (regions < 0), -1, regions % len(PARTS)).astype(np.int16)


def points(
    regions: Int8[np.ndarray, "n h w"], visible: Bool[np.ndarray, "n parts"]
) -> Float32[np.ndarray, "n parts 3"]:
    """For each part x, y and visibility: the pixel of its mask nearest to the mask's centroid.

    Of equally near pixels the uppermost, then the leftmost is taken.
    """
    coordinates = np.zeros((*visible.shape, 3), dtype=np.float32)
    part_map = masks(regions)
    image, row, column = np.nonzero(part_map >= 0)
    key = image * len(PARTS) + part_map[image, row, column]
    total = visible.size
    count = np.maximum(np.bincount(key, minlength=total), 1)
    # Distances times the count keep everything in integers.
    dx = column * count[key] - np.bincount(key, column, total).astype(np.int64)[key]
    dy = row * count[key] - np.bincount(key, row, total).astype(np.int64)[key]
    order = np.lexsort((column, row, dx * dx + dy * dy, key))
    part, first = np.unique(key[order], return_index=True)
    nearest = order[first]
    flat = coordinates.reshape(total, 3)
    flat[part, 0] = column[nearest] + np.float32(0.5)
    flat[part, 1] = row[nearest] + np.float32(0.5)
    coordinates[:, :, 2] = visible
    return coordinates


def boxes(regions: Int8[np.ndarray, "n h w"]) -> Float32[np.ndarray, "n 4"]:
    """x, y, width and height of the box around all parts; NaN where none is shown."""
    shown = masks(regions) >= 0
    rows, columns = (_extents(np.any(shown, axis=axis)) for axis in (2, 1))
    corners = np.stack([columns[0], rows[0], columns[1], rows[1]], axis=1).astype(np.float32)
    corners[~shown.any((1, 2))] = np.nan
    return corners


def _extents(lines: Bool[np.ndarray, "n length"]) -> tuple[np.ndarray, np.ndarray]:
    """Where the first of the marked lines is, and how many there are up to the last."""
    first, behind = lines.argmax(1), lines[:, ::-1].argmax(1)
    return first, lines.shape[1] - behind - first


def _areas(regions: Int8[np.ndarray, "n h w"]) -> _Areas:
    image, row, column = np.nonzero(regions >= 0)
    region = regions[image, row, column]
    key = image * len(PARTS) + region % len(PARTS)
    size, form = len(regions) * len(PARTS), (len(regions), len(PARTS))
    whole = np.bincount(key, minlength=size).reshape(form)
    return _Areas(whole, np.bincount(key[region >= GAP], minlength=size).reshape(form))


USUAL_SCALE = 24.0


@cache
def _usual_areas() -> _Areas:
    """Areas in an unturned bird of the usual scale that nothing covers."""
    return _areas(render_regions(plain_scene(USUAL_SCALE)))


def plain_scene(scale: float) -> Scenes:
    """One unturned bird in the middle of the image, covered by nothing, noiselessly lit."""
    unit = np.ones(1, dtype=np.float32)
    occluders = np.zeros((1, OCCLUDERS, 6), dtype=np.float32)
    occluders[:, :, 3:5] = 1
    return Scenes(
        values=np.zeros((1, len(ATTRIBUTES)), dtype=np.int64),
        context=np.zeros(1, dtype=np.int64),
        corner=np.zeros((1, 2), dtype=np.int64),
        centre=np.full((1, 2), FRAME / 2, dtype=np.float32),
        scale=unit * np.float32(scale),
        stretch=unit,
        turn=np.array([[1, 0]], dtype=np.float32),
        facing=unit,
        occluders=occluders,
        cover=np.zeros((1, OCCLUDERS), dtype=np.int64),
        gain=unit,
        grain=unit * 0,
        speckle=np.zeros((1, 2), dtype=np.int64),
    )
