"""The values that attributes take, and how each value looks."""

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64


class Colour(NamedTuple):
    """A plumage colour, and the colour of the marks that a pattern makes on it."""

    name: str
    base: tuple[int, int, int]
    mark: tuple[int, int, int]


# Three to a genus, so that a genus is told by its colours alone.
COLOURS = (
    Colour("red", (214, 38, 36), (110, 8, 12)),
    Colour("orange", (250, 146, 30), (150, 66, 0)),
    Colour("brown", (128, 74, 36), (222, 172, 122)),
    Colour("navy", (28, 46, 138), (128, 158, 240)),
    Colour("sky", (92, 188, 248), (16, 84, 150)),
    Colour("violet", (156, 66, 196), (232, 176, 250)),
    Colour("green", (24, 122, 48), (138, 220, 122)),
    Colour("lime", (164, 224, 52), (66, 112, 0)),
    Colour("yellow", (252, 230, 62), (158, 122, 0)),
    Colour("black", (30, 30, 32), (150, 150, 152)),
    Colour("grey", (132, 134, 138), (50, 50, 54)),
    Colour("white", (246, 246, 242), (112, 112, 116)),
)
COLOUR_NAMES = tuple(colour.name for colour in COLOURS)
PATTERNS = ("solid", "barred", "streaked", "spotted", "checked", "slashed")
BEAKS = ("cone", "dagger", "hooked", "spatulate")
CRESTS = ("smooth", "peaked", "horned", "tufted")

TILE = 12
"""Side of a pattern's tile in cells."""


def colour_table() -> Float32[np.ndarray, "colours 2 3"]:
    """Base and mark of every colour."""
    return np.array([(colour.base, colour.mark) for colour in COLOURS], dtype=np.float32)


@cache
def pattern_tiles() -> Bool[np.ndarray, "patterns tile tile"]:
    """Where each pattern has marks, by row (across the part) and column (along it)."""
    row, column = np.divmod(np.arange(TILE * TILE).reshape(TILE, TILE), TILE)
    half = TILE // 2
    spot = (row % TILE - half) ** 2 + (column % TILE - half) ** 2 <= (half - 2) ** 2
    tiles = np.stack(
        [
            np.zeros_like(spot),
            column < half,
            row < half,
            spot,
            (row < half) ^ (column < half),
            (row + column) % TILE < half,
        ]
    )
    tiles.flags.writeable = False
    return tiles


def beak_outline(
    shape: Int64[np.ndarray, " m"],
    along: Float32[np.ndarray, " m"],
    across: Float32[np.ndarray, " m"],
) -> Bool[np.ndarray, " m"]:
    """Where a beak of each shape is, in the unit disc of its region, tip at along = 1."""
    width = np.abs(across)
    cone = width + 1.1 * along < 0.28
    dagger = width < 0.26 - 0.14 * along
    shaft = (np.abs(across + 0.12) < 0.30) & (along < 0.75)
    hooked = shaft | ((np.abs(along - 0.5) < 0.25) & (across > -0.2) & (across < 0.72))
    spatulate = (width < 0.16) | ((along - 0.42) ** 2 + across**2 < 0.27)
    return np.choose(shape, [cone, dagger, hooked, spatulate])


def crest_outline(
    shape: Int64[np.ndarray, " m"],
    along: Float32[np.ndarray, " m"],
    across: Float32[np.ndarray, " m"],
) -> Bool[np.ndarray, " m"]:
    """Where a crest of each shape is, in the unit disc of its region, top at across = −1."""
    height = across + 1.0
    smooth = np.zeros(along.shape, dtype=bool)
    peaked = np.abs(along + 0.1) < 0.42 * height
    horned = np.abs(np.abs(along) - 0.62) < 0.30 * height - 0.02
    tufted = along**2 + (across + 0.25) ** 2 < 0.36
    return np.choose(shape, [smooth, peaked, horned, tufted])
