"""Radii of attacks: how far a pixel may go, in 255ths of its range."""

import math
from collections.abc import Sequence
from itertools import pairwise

PIXEL_RANGE = 255
"""Radii are counted in parts of it, as papers write them: 4 is 4/255 of an image in [0, 1]."""
LEAST_LARGEST = 0.5
"""Where all radii are smaller, they were most likely written for images in [0, 1]."""
MOST = 127.5
"""From here on every image can be made plain grey."""


def check_radii(radii: Sequence[float], name: str) -> None:
    """Raise `ValueError` for what are no radii, and for what looks like those of another scale."""
    shown = ", ".join(f"{radius:g}" for radius in radii)
    if not radii:
        raise ValueError(f"{name} is empty; name at least one radius in 255ths, such as 4")
    if any(not math.isfinite(radius) or radius <= 0 for radius in radii):
        raise ValueError(
            f"{name} should be above 0, got {shown}; images without an attack are scored anyway"
        )
    if max(radii) >= MOST:
        raise ValueError(
            f"{name} should be below {MOST:g} of 255, got {shown}: from there on every image can "
            "be made plain grey"
        )
    if max(radii) < LEAST_LARGEST:
        raise ValueError(
            f"{name} are counted in 255ths of a pixel's range, and {shown} looks like the scale "
            f"from 0 to 1, in which it would be {_scaled(radii)}: write that; or, if so small a "
            f"radius is meant, name one of at least {LEAST_LARGEST:g} beside it"
        )
    if any(later <= earlier for earlier, later in pairwise(radii)):
        raise ValueError(f"{name} should rise, each once, got {shown}")


def _scaled(radii: Sequence[float]) -> str:
    return ", ".join(f"{PIXEL_RANGE * radius:.3g}" for radius in radii)


def share_of_range(radius: float) -> float:
    """The radius for images in [0, 1]."""
    return radius / PIXEL_RANGE
