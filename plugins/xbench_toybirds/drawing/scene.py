"""Scenes: everything that decides an image, one entry per image in each field."""

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from jaxtyping import Float32, Float64, Int64

from xbench_toybirds.drawing.contexts import CONTEXTS, SIDE
from xbench_toybirds.hashing import integers, uniforms
from xbench_toybirds.world import ATTRIBUTES, World

FRAME = 96
"""Side of an image in pixels."""
OCCLUDERS = 3
NOISE_SIDE = 256


_Number = TypeVar("_Number", float, np.ndarray)


class Scenes(NamedTuple):
    """What images show, before any pixel is painted; lengths in pixels unless stated."""

    values: Int64[np.ndarray, "n attributes"]
    context: Int64[np.ndarray, " n"]
    corner: Int64[np.ndarray, "n 2"]
    """Where the context's window is cut from its texture (x, y)."""
    centre: Float32[np.ndarray, "n 2"]
    scale: Float32[np.ndarray, " n"]
    """Pixels per unit of the bird's anatomy; 0 where there is no bird."""
    stretch: Float32[np.ndarray, " n"]
    """Height of the bird relative to its length."""
    turn: Float32[np.ndarray, "n 2"]
    """Cosine and sine of the bird's rotation."""
    facing: Float32[np.ndarray, " n"]
    """1 where the bird looks to the right, −1 where to the left."""
    occluders: Float32[np.ndarray, "n occluders 6"]
    """x, y, half length, half width, cosine, sine; half length 0 where there is none."""
    cover: Int64[np.ndarray, "n occluders"]
    """Index of each occluder's colour."""
    gain: Float32[np.ndarray, " n"]
    grain: Float32[np.ndarray, " n"]
    """Largest change of a pixel by noise."""
    speckle: Int64[np.ndarray, "n 2"]
    """Where the noise is cut from its table (x, y)."""

    def take(self, where: slice | Int64[np.ndarray, " m"]) -> "Scenes":
        """The scenes of a slice, or at these places."""
        return Scenes(*(field[where] for field in self))


@dataclass(frozen=True)
class Conditions:
    """How pictures are taken: ranges from which nuisances are drawn."""

    scale: tuple[float, float] = (22.5, 25.5)
    stretch: tuple[float, float] = (0.94, 1.06)
    half_turn: float = 0.1
    """Largest tangent of half the rotation: 0.1 is 11 degrees."""
    shift: float = 4.0
    occluded: float = 0.35
    """How often each of the occluders is there."""
    gain: tuple[float, float] = (0.9, 1.1)
    grain: tuple[float, float] = (4.0, 14.0)


USUAL = Conditions()
SHIFTED = Conditions(
    scale=(19.0, 22.0),
    stretch=(0.88, 1.12),
    half_turn=0.2,
    shift=8.0,
    occluded=0.5,
    gain=(0.6, 0.85),
    grain=(14.0, 30.0),
)


def draw_scenes(
    world: World,
    ids: Int64[np.ndarray, " n"],
    labels: Int64[np.ndarray, " n"],
    conditions: Conditions,
) -> Scenes:
    """The scenes of images of these classes; contexts are independent of classes."""
    seed = world.seed
    occluders, cover = _occluders(seed, ids, conditions)
    place = _spread(uniforms(seed, ids, "place", 2), -conditions.shift, conditions.shift)
    return Scenes(
        values=world.draw(labels, uniforms(seed, ids, "attributes", len(ATTRIBUTES))),
        context=integers(seed, ids, "context", [len(CONTEXTS)])[:, 0],
        corner=integers(seed, ids, "corner", [SIDE - FRAME + 1] * 2),
        centre=place + np.float32(FRAME / 2),
        scale=_between(seed, ids, "scale", conditions.scale),
        stretch=_between(seed, ids, "stretch", conditions.stretch),
        turn=_rotations(_between(seed, ids, "turn", (-conditions.half_turn, conditions.half_turn))),
        facing=(1 - 2 * integers(seed, ids, "facing", [2])[:, 0]).astype(np.float32),
        occluders=occluders,
        cover=cover,
        gain=_between(seed, ids, "gain", conditions.gain),
        grain=_between(seed, ids, "grain", conditions.grain),
        speckle=integers(seed, ids, "speckle", [NOISE_SIDE - FRAME + 1] * 2),
    )


def _occluders(
    seed: int, ids: Int64[np.ndarray, " n"], conditions: Conditions
) -> tuple[Float32[np.ndarray, "n occluders 6"], Int64[np.ndarray, "n occluders"]]:
    occluders = np.zeros((len(ids), OCCLUDERS, 6), dtype=np.float32)
    for k in range(OCCLUDERS):
        draws = uniforms(seed, ids, f"occluder {k}", 6)
        present = draws[:, 0] < conditions.occluded
        occluders[:, k, 0:2] = _spread(draws[:, 1:3], 12.0, FRAME - 12.0)
        occluders[:, k, 2] = np.where(present, _spread(draws[:, 3], 7.0, 14.0), 0)
        occluders[:, k, 3] = _spread(draws[:, 4], 3.5, 8.0)
        occluders[:, k, 4:6] = _rotations(_spread(draws[:, 5], -1.0, 1.0))
    return occluders, integers(seed, ids, "cover", [len(COVERS)] * OCCLUDERS)


COVERS = ((74, 104, 40), (112, 84, 58), (158, 134, 84), (88, 90, 96))
"""Colours of what stands before a bird: leaf, bark, reed, stone."""


def _between(
    seed: int, ids: Int64[np.ndarray, " n"], stream: str, bounds: tuple[float, float]
) -> Float32[np.ndarray, " n"]:
    return _spread(uniforms(seed, ids, stream, 1)[:, 0], *bounds)


def _spread(draws: Float64[np.ndarray, "*n"], low: float, high: float) -> Float32[np.ndarray, "*n"]:
    return (low + (high - low) * draws).astype(np.float32)


def _rotations(half: Float32[np.ndarray, " n"]) -> Float32[np.ndarray, "n 2"]:
    return np.stack(rotation(half.astype(np.float64)), axis=-1).astype(np.float32)


def rotation(half: _Number) -> tuple[_Number, _Number]:
    """Cosine and sine of an angle, from the tangent of its half."""
    # a rational function, so exact on every machine
    square = half * half
    return (1 - square) / (1 + square), 2 * half / (1 + square)
