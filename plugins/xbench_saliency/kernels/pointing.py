"""Where maps point: their maximum, and their positive values, inside a mask."""

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.ndimage import distance_transform_edt

Maps = Float[np.ndarray, "n h w"]
Masks = Bool[np.ndarray, "n h w"]


def hits(maps: Maps, masks: Masks) -> Float64[np.ndarray, " n"]:
    """1 where a map's maximum lies in its mask; of several, the share that do.

    0 for a map with one value everywhere: it points nowhere. NaN where the mask is empty, or the
    map holds a value that is not finite.
    """
    highest = maps == maps.max((1, 2), keepdims=True)
    shares = (highest & masks).sum((1, 2)) / np.maximum(highest.sum((1, 2)), 1)
    return _defined(np.where(pointless(maps), 0.0, shares), maps, masks)


def energies(maps: Maps, masks: Masks) -> Float64[np.ndarray, " n"]:
    """The share of a map's positive values that lies in its mask; 0 where none is positive.

    NaN where the mask is empty, or the map holds a value that is not finite.
    """
    positive = np.where(np.isfinite(maps), maps, 0).clip(0).astype(np.float64)
    largest = positive.max((1, 2), keepdims=True)
    scaled = np.divide(positive, largest, out=np.zeros_like(positive), where=largest > 0)
    inside, total = (scaled * masks).sum((1, 2)), scaled.sum((1, 2))
    shares = np.divide(inside, total, out=np.zeros_like(total), where=total > 0)
    return _defined(shares, maps, masks)


def pointless(maps: Maps) -> Bool[np.ndarray, " n"]:
    """Which maps have one value everywhere."""
    return (maps == maps[:, :1, :1]).all((1, 2))


def areas(masks: Masks) -> Float64[np.ndarray, " n"]:
    """The share of the image that each mask covers."""
    return masks.mean((1, 2), dtype=np.float64)


def boxed(boxes: Float[np.ndarray, "n 4"], size: tuple[int, int]) -> Masks:
    """The pixels of images of `size` (h, w) whose centres lie in boxes x, y, width, height.

    None where a box is NaN.
    """
    first, last = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    height, width = (np.arange(side) + 0.5 for side in size)
    columns = (first[:, :1] <= width) & (width < last[:, :1])
    rows = (first[:, 1:] <= height) & (height < last[:, 1:])
    return rows[:, :, None] & columns[:, None, :]


def widened(masks: Masks, tolerance: int) -> Masks:
    """Masks with all pixels whose centre lies at most `tolerance` pixels from one of theirs."""
    if not tolerance:
        return masks
    return np.array([_widened(mask, tolerance) for mask in masks]).reshape(masks.shape)


def _widened(mask: Bool[np.ndarray, "h w"], tolerance: int) -> Bool[np.ndarray, "h w"]:
    return distance_transform_edt(~mask) <= tolerance if mask.any() else mask


def _defined(
    values: Float64[np.ndarray, " n"], maps: Maps, masks: Masks
) -> Float64[np.ndarray, " n"]:
    usable = np.isfinite(maps).all((1, 2)) & masks.any((1, 2))
    return np.where(usable, values, np.nan)
