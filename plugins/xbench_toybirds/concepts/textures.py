"""Textures that fill an image, as examples of texture concepts."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from xbench_toybirds.drawing.contexts import eased
from xbench_toybirds.drawing.scene import FRAME, rotation
from xbench_toybirds.hashing import integers, uniforms
from xbench_toybirds.palette import COLOUR_NAMES, colour_table

_Plane = Float32[np.ndarray, "n h w"]
_Texture = Callable[[_Plane, _Plane], _Plane]
LATTICE = 16


def texture(
    name: str, seed: int, ids: Int64[np.ndarray, " n"], cell: tuple[float, float]
) -> UInt8[np.ndarray, "n h w 3"]:
    """A texture in two hashed colours, turned and moved, with cells of `cell` pixels."""
    draws = uniforms(seed, ids, "texture", 4).astype(np.float32)[:, :, None, None]
    size = np.float32(cell[0]) + np.float32(cell[1] - cell[0]) * draws[:, 0]
    half = draws[:, 1] * np.float32(0.5) - np.float32(0.25)
    cosine, sine = rotation(half)
    y, x = np.mgrid[:FRAME, :FRAME].astype(np.float32) - np.float32(FRAME / 2)
    u = (cosine * x + sine * y) / size + draws[:, 2]
    v = (cosine * y - sine * x) / size + draws[:, 3]
    plane = _PLANES[name](u, v) if name in _PLANES else _NOISES[name](_lattice(seed, ids), u, v)
    return _coloured(plane, seed, ids)


def _coloured(
    plane: _Plane, seed: int, ids: Int64[np.ndarray, " n"]
) -> UInt8[np.ndarray, "n h w 3"]:
    first, step = integers(seed, ids, "inks", [len(COLOUR_NAMES), len(COLOUR_NAMES) - 1]).T
    table = colour_table()[:, 0]
    low = table[first][:, None, None]
    high = table[(first + 1 + step) % len(COLOUR_NAMES)][:, None, None]
    return (low + plane[..., None] * (high - low)).astype(np.uint8)


def _saw(u: _Plane) -> _Plane:
    return u - np.floor(u)


def _fold(u: _Plane) -> _Plane:
    # A triangle wave between 0 and 1.
    return np.abs(2 * _saw(u) - 1)


def _round(u: _Plane) -> _Plane:
    # A wave like a sine between 0 and 1, without one.
    return eased(_fold(u))


def _below(plane: _Plane, level: float) -> _Plane:
    return (plane < np.float32(level)).astype(np.float32)


def _spots(u: _Plane, v: _Plane, radius: float) -> _Plane:
    return _below((_saw(u) - 0.5) ** 2 + (_saw(v) - 0.5) ** 2, radius * radius)


def _rings(u: _Plane, v: _Plane) -> _Plane:
    return np.sqrt(u * u + v * v)


def _offset(u: _Plane, v: _Plane) -> _Plane:
    # Every second row moved by half a cell.
    return u + np.float32(0.5) * (np.floor(v) % 2)


def _woven(u: _Plane, v: _Plane) -> _Plane:
    even = (np.floor(u) + np.floor(v)) % 2 == 0
    return np.where(even, _fold(u), _fold(v))


_PLANES: dict[str, _Texture] = {
    "striped": lambda u, _: _below(_saw(u), 0.5),
    "pinstriped": lambda u, _: _below(_saw(u), 0.2),
    "checked": lambda u, v: (np.floor(u) + np.floor(v)) % 2,
    "dotted": lambda u, v: _spots(u, v, 0.22),
    "polka-dotted": lambda u, v: _spots(_offset(u, v), v, 0.36),
    "gridded": lambda u, v: np.maximum(_below(_saw(u), 0.18), _below(_saw(v), 0.18)),
    "crosshatched": lambda u, v: np.maximum(_below(_saw(u + v), 0.3), _below(_saw(u - v), 0.3)),
    "zigzagged": lambda u, v: _below(_saw(v + _fold(u)), 0.5),
    "wavy": lambda u, v: _below(_saw(v + _round(u) * np.float32(0.6)), 0.5),
    "diamonded": lambda u, v: _below(_fold(u) + _fold(v), 0.9),
    "ringed": lambda u, v: _below(_saw(_rings(u, v)), 0.5),
    "graded": lambda u, _: np.clip(u / 8 + np.float32(0.5), 0, 1),
    "glowing": lambda u, v: np.clip(1 - _rings(u, v) / 5, 0, 1),
    "woven": _woven,
    "bricked": lambda u, v: np.maximum(
        _below(_saw(_offset(u / 2, v)), 0.08), _below(_saw(v), 0.16)
    ),
    "scaly": lambda u, v: _below(np.abs(_rings(_saw(_offset(u, v)) - 0.5, _saw(v)) - 0.5), 0.1),
    "pleated": lambda u, _: _fold(u),
    "rippled": lambda u, v: _round(_rings(u, v)),
}


def _smooth(lattice: Float32[np.ndarray, "n side side"], u: _Plane, v: _Plane) -> _Plane:
    column, row = np.floor(u), np.floor(v)
    fx, fy = eased(u - column), eased(v - row)
    image = np.arange(len(lattice))[:, None, None]
    x, y = column.astype(np.int64) % LATTICE, row.astype(np.int64) % LATTICE
    next_x, next_y = (x + 1) % LATTICE, (y + 1) % LATTICE
    top = lattice[image, y, x] * (1 - fx) + lattice[image, y, next_x] * fx
    bottom = lattice[image, next_y, x] * (1 - fx) + lattice[image, next_y, next_x] * fx
    return top * (1 - fy) + bottom * fy


def _lattice(seed: int, ids: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n side side"]:
    draws = uniforms(seed, ids, "lattice", LATTICE * LATTICE).astype(np.float32)
    return draws.reshape(len(ids), LATTICE, LATTICE)


_NOISES: dict[str, Callable[[Float32[np.ndarray, "n side side"], _Plane, _Plane], _Plane]] = {
    "blotchy": lambda lattice, u, v: _below(_smooth(lattice, u, v), 0.5),
    "cloudy": _smooth,
    "speckled": lambda lattice, u, v: _below(_smooth(lattice, u * 3, v * 3), 0.25),
    "marbled": lambda lattice, u, v: _fold(2 * _smooth(lattice, u, v) + u / 4),
    "veined": lambda lattice, u, v: _below(_fold(2 * _smooth(lattice, u, v)), 0.2),
    "furry": lambda lattice, u, v: _smooth(lattice, u * 4, v / 2),
}

TEXTURES = (*_PLANES, *_NOISES)
"""Names of the textures."""
