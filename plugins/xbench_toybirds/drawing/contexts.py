"""Contexts: the settings behind the birds, as textures that an image cuts its window from."""

from functools import cache

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from xbench_toybirds.hashing import uniforms

CONTEXTS = (
    "snow",
    "water",
    "sand",
    "grass",
    "forest",
    "fence",
    "sky",
    "rocks",
    "bricks",
    "flowers",
)
SIDE = 192
"""Side of a context's texture in pixels."""

_Plane = Float32[np.ndarray, "h w"]
_Image = Float32[np.ndarray, "h w 3"]


@cache
def textures() -> UInt8[np.ndarray, "contexts side side 3"]:
    """The texture of every context, the same for all seeds of the dataset."""
    paintings = np.stack([_PAINTERS[name]() for name in CONTEXTS])
    pixels = np.clip(paintings + np.float32(0.5), 0, 255).astype(np.uint8)
    pixels.flags.writeable = False
    return pixels


def windows(
    context: Int64[np.ndarray, " n"], corner: Int64[np.ndarray, "n 2"], side: int
) -> UInt8[np.ndarray, "n side side 3"]:
    """The window of each context's texture whose top left is at `corner` (x, y)."""
    source = textures()
    images = np.empty((len(context), side, side, 3), dtype=np.uint8)
    for window, name, (x, y) in zip(images, context.tolist(), corner.tolist(), strict=True):
        window[:] = source[name, y : y + side, x : x + side]
    return images


def _noise(stream: str, across: int, down: int) -> _Plane:
    """Smooth noise in [0, 1] with cells of `across` × `down` pixels."""
    columns, rows = SIDE // across + 2, SIDE // down + 2
    lattice = uniforms(0, range(rows), stream, columns).astype(np.float32)
    x, fx = _cells(across)
    y, fy = _cells(down)
    top = lattice[y][:, x] * (1 - fx) + lattice[y][:, x + 1] * fx
    bottom = lattice[y + 1][:, x] * (1 - fx) + lattice[y + 1][:, x + 1] * fx
    return top * (1 - fy[:, None]) + bottom * fy[:, None]


def _cells(size: int) -> tuple[Int64[np.ndarray, " side"], Float32[np.ndarray, " side"]]:
    cell, rest = np.divmod(np.arange(SIDE), size)
    fraction = rest.astype(np.float32) / np.float32(size)
    return cell, eased(fraction)


def eased(fraction: Float32[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """A way from 0 to 1 that starts and ends slowly, at each fraction of it."""
    return fraction * fraction * (3 - 2 * fraction)


def _blend(plane: _Plane, low: tuple[int, int, int], high: tuple[int, int, int]) -> _Image:
    low_, high_ = np.array(low, np.float32), np.array(high, np.float32)
    return low_ + plane[:, :, None] * (high_ - low_)


def _snow() -> _Image:
    drifts = _blend(_noise("snow", 24, 12), (206, 216, 232), (244, 248, 252))
    flakes = _noise("flakes", 3, 3) > 0.86
    return np.where(flakes[:, :, None], np.float32(255), drifts)


def _water() -> _Image:
    waves = _noise("waves", 20, 4) * np.float32(0.7) + _noise("swell", 48, 12) * np.float32(0.3)
    return _blend(waves, (30, 92, 122), (128, 190, 204))


def _sand() -> _Image:
    grains = _noise("grains", 2, 2) * np.float32(0.4) + _noise("dunes", 32, 16) * np.float32(0.6)
    return _blend(grains, (190, 158, 106), (238, 214, 162))


def _grass() -> _Image:
    blades = _noise("blades", 2, 10) * np.float32(0.7) + _noise("tufts", 16, 16) * np.float32(0.3)
    return _blend(blades, (48, 88, 30), (140, 178, 82))


def _forest() -> _Image:
    canopy = _noise("canopy", 10, 10) * np.float32(0.6) + _noise("leaves", 4, 4) * np.float32(0.4)
    image = _blend(canopy, (12, 34, 20), (58, 96, 56))
    trunks = np.zeros(SIDE, dtype=bool)
    for left in (10, 52, 84, 127, 166):
        trunks[left : left + 9] = True
    bark = _blend(_noise("bark", 2, 16), (48, 34, 24), (96, 72, 52))
    return np.where(trunks[None, :, None], bark, image)


def _fence() -> _Image:
    background = _blend(_noise("behind", 16, 16), (146, 170, 130), (182, 200, 164))
    y, x = np.mgrid[:SIDE, :SIDE]
    slats = (x % 18 < 11) | (y % 64 < 9)
    wood = _blend(_noise("wood", 2, 24), (148, 116, 84), (192, 160, 124))
    return np.where(slats[:, :, None], wood, background)


def _sky() -> _Image:
    clouds = np.clip(_noise("clouds", 40, 20) * np.float32(2) - np.float32(0.7), 0, 1)
    return _blend(clouds, (138, 178, 226), (232, 238, 246))


def _rocks() -> _Image:
    coarse = np.floor(_noise("boulders", 14, 14) * np.float32(5)) / np.float32(4)
    plane = coarse * np.float32(0.7) + _noise("grit", 3, 3) * np.float32(0.3)
    return _blend(plane, (66, 62, 60), (168, 162, 154))


def _bricks() -> _Image:
    y, x = np.mgrid[:SIDE, :SIDE]
    row = y // 10
    mortar = (y % 10 < 2) | ((x + row % 2 * 10) % 20 < 2)
    clay = _blend(_noise("clay", 10, 5), (136, 70, 54), (180, 104, 84))
    return np.where(mortar[:, :, None], np.float32(206), clay)


def _flowers() -> _Image:
    meadow = _blend(_noise("meadow", 4, 8), (62, 112, 48), (118, 164, 84))
    petals = _noise("petals", 6, 6) > 0.72
    hues = _noise("hues", 24, 24)
    blossoms = _blend((hues > 0.5).astype(np.float32), (238, 120, 180), (248, 240, 250))
    return np.where(petals[:, :, None], blossoms, meadow)


_PAINTERS = {
    "snow": _snow,
    "water": _water,
    "sand": _sand,
    "grass": _grass,
    "forest": _forest,
    "fence": _fence,
    "sky": _sky,
    "rocks": _rocks,
    "bricks": _bricks,
    "flowers": _flowers,
}
