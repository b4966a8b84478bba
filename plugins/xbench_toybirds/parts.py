"""Where parts are seen: visibility, points and masks, all read from the regions of a picture."""

from functools import cache

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int8, Int16, Int64

from xbench_toybirds.render import GHOST, render_regions
from xbench_toybirds.scene import FRAME, OCCLUDERS, Scenes
from xbench_toybirds.world import ATTRIBUTES, PARTS

_SHARE = np.array([0.75 if part in ("beak", "crown") else 0.5 for part in PARTS])
"""How much of its usual area a part must show to be visible.

A region is the same for all of its part's values, so being visible says nothing of the class.
Where a shape is an attribute more must show, so that every shape can be told from the others.
"""


def visibility(regions: Int8[np.ndarray, "n h w"], scenes: Scenes) -> Bool[np.ndarray, "n parts"]:
    """Whether enough of each part's region shows for all its attributes to be seen."""
    size = scenes.scale.astype(np.float64) ** 2 * scenes.stretch
    return _counts(regions) >= np.maximum(_SHARE * _usual_areas() * size[:, None], 1)


def masks(regions: Int8[np.ndarray, "n h w"]) -> Int16[np.ndarray, "n h w"]:
    """The part that each pixel shows, −1 for none: gaps in a region show no part."""
    return np.where(regions < GHOST, regions, -1).astype(np.int16)


def points(
    regions: Int8[np.ndarray, "n h w"], visible: Bool[np.ndarray, "n parts"]
) -> Float32[np.ndarray, "n parts 3"]:
    """For each part x, y and visibility: the pixel of its mask nearest to the mask's centroid.

    Of equally near pixels the uppermost, then the leftmost is taken. A part that is visible
    but whose shape paints no pixel of its region does not exist: every shape paints some.
    """
    found = np.zeros((*visible.shape, 3), dtype=np.float32)
    shown = masks(regions)
    image, row, column = np.nonzero(shown >= 0)
    key = image * len(PARTS) + shown[image, row, column]
    total = visible.size
    count = np.maximum(np.bincount(key, minlength=total), 1)
    # Distances times the count keep everything in integers.
    dx = column * count[key] - np.bincount(key, column, total).astype(np.int64)[key]
    dy = row * count[key] - np.bincount(key, row, total).astype(np.int64)[key]
    order = np.lexsort((column, row, dx * dx + dy * dy, key))
    part, first = np.unique(key[order], return_index=True)
    nearest = order[first]
    flat = found.reshape(total, 3)
    flat[part, 0] = column[nearest] + np.float32(0.5)
    flat[part, 1] = row[nearest] + np.float32(0.5)
    found[:, :, 2] = visible
    return found


def _counts(regions: Int8[np.ndarray, "n h w"]) -> Int64[np.ndarray, "n parts"]:
    image, row, column = np.nonzero(regions >= 0)
    key = image * GHOST + regions[image, row, column] % GHOST
    return np.bincount(key, minlength=len(regions) * GHOST).reshape(len(regions), GHOST)


@cache
def _usual_areas() -> Float64[np.ndarray, " parts"]:
    """Area of each part's region in square units, in an unturned bird that nothing covers."""
    scale = 24.0
    return _counts(render_regions(plain_scene(scale)))[0] / scale**2


def plain_scene(scale: float) -> Scenes:
    """One unturned bird in the middle of the image, covered by nothing, noiselessly lit."""
    one = np.ones(1, dtype=np.float32)
    nowhere = np.zeros((1, OCCLUDERS, 6), dtype=np.float32)
    nowhere[:, :, 3:5] = 1
    return Scenes(
        values=np.zeros((1, len(ATTRIBUTES)), dtype=np.int64),
        context=np.zeros(1, dtype=np.int64),
        corner=np.zeros((1, 2), dtype=np.int64),
        centre=np.full((1, 2), FRAME / 2, dtype=np.float32),
        scale=one * np.float32(scale),
        stretch=one,
        turn=np.array([[1, 0]], dtype=np.float32),
        facing=one,
        occluders=nowhere,
        cover=np.zeros((1, OCCLUDERS), dtype=np.int64),
        gain=one,
        grain=one * 0,
        speckle=np.zeros((1, 2), dtype=np.int64),
    )
