"""From scenes to pixels and label maps, in + − × ÷ and comparisons of single numbers."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int8, Int64, UInt8

from xbench_toybirds import palette
from xbench_toybirds.drawing.anatomy import STROKES, Stroke
from xbench_toybirds.drawing.contexts import windows
from xbench_toybirds.drawing.scene import COVERS, FRAME, NOISE_SIDE, OCCLUDERS, Scenes, rotation
from xbench_toybirds.hashing import uniforms
from xbench_toybirds.world import ATTRIBUTES, PARTS

GAP = len(PARTS)
"""Added to a part's label where its shape could be but leaves the background to be seen."""
SHAPE = 2 * len(PARTS)
"""Added to a part's label where its shape is."""
CHUNK = 32
"""Images painted at once: more do not fit the processor's cache."""
EDGE = 0.045
"""Width of the edge of a shape in units."""
CELL = 0.022
"""Side of a cell of a pattern's tile in units."""

_COLUMN = {(a.part, a.name == "colour"): column for column, a in enumerate(ATTRIBUTES)}
_HEAD = np.array((196, 186, 170), dtype=np.float32)
_RIM = np.float32(0.55)
_NO_COLOURS = np.empty((0, 3), dtype=np.float32)


class Picture(NamedTuple):
    """Pixels, and which part's region each pixel shows: −1 for none, else part, + GAP or SHAPE."""

    pixels: UInt8[np.ndarray, "n h w 3"]
    regions: Int8[np.ndarray, "n h w"]


def render(scenes: Scenes) -> Picture:
    """Paint the scenes; each image depends on its own scene alone."""
    count = len(scenes.context)
    pixels = np.empty((count, FRAME, FRAME, 3), dtype=np.uint8)
    regions = np.empty((count, FRAME, FRAME), dtype=np.int8)
    for start in range(0, count, CHUNK):
        chunk = slice(start, start + CHUNK)
        light = ground(scenes.take(chunk))
        canvas = _Canvas(np.full(len(light), -1, dtype=np.int8), light)
        _paint(canvas, scenes.take(chunk))
        pixels[chunk] = _photograph(light, scenes.take(chunk))
        regions[chunk] = canvas.regions.reshape(-1, FRAME, FRAME)
    return Picture(pixels, regions)


def render_regions(scenes: Scenes) -> Int8[np.ndarray, "n h w"]:
    """The regions of the scenes' pictures, without the work of colouring them."""
    regions = np.full((len(scenes.context), FRAME, FRAME), -1, dtype=np.int8)
    for start in range(0, len(regions), CHUNK):
        chunk = slice(start, start + CHUNK)
        _paint(_Canvas(regions[chunk].reshape(-1), None), scenes.take(chunk))
    return regions


class _Canvas(NamedTuple):
    """A picture under construction, all its images' pixels in one row; pixels may be left out."""

    regions: Int8[np.ndarray, " pixels"]
    pixels: Float32[np.ndarray, "pixels 3"] | None


class Layer(NamedTuple):
    """What one stroke or occluder puts on the pictures, as places on the canvas."""

    label: int
    """The part it belongs to, −1 for none."""
    place: Int64[np.ndarray, " m"]
    regions: Int8[np.ndarray, "#m"]
    shape: Int64[np.ndarray, " s"]
    """Places that it colours: those of its shape."""
    colours: Float32[np.ndarray, "s 3"]
    """Before light and noise; empty where they were not asked for."""


def ground(scenes: Scenes) -> Float32[np.ndarray, "pixels 3"]:
    """The canvas before anything is painted: the contexts."""
    return windows(scenes.context, scenes.corner, FRAME).reshape(-1, 3).astype(np.float32)


def layers(scenes: Scenes, *, coloured: bool) -> Iterator[Layer]:
    """All that is painted, in order."""
    for stroke in STROKES:
        yield _stroke(scenes, stroke, coloured=coloured)
    for k in range(OCCLUDERS):
        yield _occluder(scenes, k, coloured=coloured)


def _paint(canvas: _Canvas, scenes: Scenes) -> None:
    for layer in layers(scenes, coloured=canvas.pixels is not None):
        canvas.regions[layer.place] = layer.regions
        if canvas.pixels is not None:
            canvas.pixels[layer.shape] = layer.colours


class _Ellipse(NamedTuple):
    """Ellipses in pixels, one per image: centres and the map from offsets to the unit disc."""

    x: Float32[np.ndarray, " n"]
    y: Float32[np.ndarray, " n"]
    along: Float32[np.ndarray, "n 2"]
    across: Float32[np.ndarray, "n 2"]
    reach: int


class _Patch(NamedTuple):
    """Pixels inside ellipses: image, flat place on the canvas, and unit-disc coordinates."""

    image: Int64[np.ndarray, " m"]
    place: Int64[np.ndarray, " m"]
    along: Float32[np.ndarray, " m"]
    across: Float32[np.ndarray, " m"]


def _patch(ellipse: _Ellipse) -> _Patch:
    side = np.arange(-ellipse.reach, ellipse.reach + 1)
    column = np.floor(ellipse.x).astype(np.int64)[:, None] + side
    row = np.floor(ellipse.y).astype(np.int64)[:, None] + side
    dx = column.astype(np.float32) + np.float32(0.5) - ellipse.x[:, None]
    dy = row.astype(np.float32) + np.float32(0.5) - ellipse.y[:, None]
    along = _linear(dx, dy, ellipse.along)
    across = _linear(dx, dy, ellipse.across)
    inside = along * along + across * across <= 1
    inside &= ((column >= 0) & (column < FRAME))[:, None, :]
    inside &= ((row >= 0) & (row < FRAME))[:, :, None]
    image, i, j = np.nonzero(inside)
    place = (image * FRAME + row[image, i]) * FRAME + column[image, j]
    return _Patch(image, place, along[inside], across[inside])


def _linear(
    dx: Float32[np.ndarray, "n w"], dy: Float32[np.ndarray, "n h"], axis: Float32[np.ndarray, "n 2"]
) -> Float32[np.ndarray, "n h w"]:
    return (axis[:, :1] * dx)[:, None, :] + (axis[:, 1:] * dy)[:, :, None]


def _ellipse(scenes: Scenes, stroke: Stroke) -> _Ellipse:
    cosine, sine = scenes.turn[:, 0], scenes.turn[:, 1]
    x = np.float32(stroke.x) * scenes.facing * scenes.scale
    y = np.float32(stroke.y) * scenes.stretch * scenes.scale
    # Offsets in pixels → units of the bird: turn back, then scale, stretch and flip.
    present = scenes.scale > 0
    scale = np.where(present, scenes.scale, 1)
    forth = np.stack([cosine, sine], axis=1) * (scenes.facing / scale)[:, None]
    down = np.stack([-sine, cosine], axis=1) / (scale * scenes.stretch)[:, None]
    cos, sin = rotation(stroke.tilt)
    along = forth * np.float32(cos / stroke.length) + down * np.float32(sin / stroke.length)
    across = down * np.float32(cos / stroke.width) - forth * np.float32(sin / stroke.width)
    away = np.where(present, np.float32(0), np.float32(1e6))
    longest = max(stroke.length, stroke.width) * float(scale.max()) * float(scenes.stretch.max())
    return _Ellipse(
        scenes.centre[:, 0] + cosine * x - sine * y + away,
        scenes.centre[:, 1] + sine * x + cosine * y + away,
        along,
        across,
        int(max(longest, max(stroke.length, stroke.width) * float(scale.max()))) + 1,
    )


def _stroke(scenes: Scenes, stroke: Stroke, *, coloured: bool) -> Layer:
    patch = _patch(_ellipse(scenes, stroke))
    regions, shape = np.array([stroke.label], dtype=np.int8), patch
    if stroke.outline != "ellipse":
        inside = _inside_outline(scenes, stroke, patch)
        regions = (stroke.label + np.where(inside, SHAPE, GAP)).astype(np.int8)
        shape = _Patch(*(field[inside] for field in patch))
    colours = _plumage(scenes, stroke, shape) if coloured else _NO_COLOURS
    return Layer(stroke.label, patch.place, regions, shape.place, colours)


def _inside_outline(
    scenes: Scenes, stroke: Stroke, patch: _Patch, dx: float = 0, dy: float = 0
) -> Bool[np.ndarray, " m"]:
    """Whether the place that lies (dx, dy) units from each pixel is inside the shape."""
    shape = scenes.values[:, _COLUMN[stroke.label, False]][patch.image]
    outline = palette.beak_outline if stroke.outline == "beak" else palette.crest_outline
    along = patch.along + np.float32(dx / stroke.length)
    return outline(shape, along, patch.across + np.float32(dy / stroke.width))


def _edge_of_shape(scenes: Scenes, stroke: Stroke, patch: _Patch) -> Int64[np.ndarray, " m"]:
    # Its own edge in the colour of marks, so that no background can hide a shape.
    steps = ((EDGE, 0), (-EDGE, 0), (0, EDGE), (0, -EDGE))
    inner = [_inside_outline(scenes, stroke, patch, dx, dy) for dx, dy in steps]
    return 1 - (inner[0] & inner[1] & inner[2] & inner[3]).astype(np.int64)


def _plumage(scenes: Scenes, stroke: Stroke, patch: _Patch) -> Float32[np.ndarray, "m 3"]:
    reach = patch.along * patch.along + patch.across * patch.across
    light = np.float32(0.97) - np.float32(0.09) * patch.across
    if stroke.rim and stroke.outline == "ellipse":
        light = np.where(reach > np.float32(0.8), _RIM, light)
    if stroke.label < 0:
        return _HEAD * light[:, None]
    marks = _marks(scenes, stroke, patch)
    colour = scenes.values[:, _COLUMN[stroke.label, True]]
    table = palette.colour_table()[colour].reshape(-1, 3)
    colours = table[patch.image * 2 + marks] * light[:, None]
    return _eye(colours, colour[patch.image], reach) if stroke.part == "eye" else colours


def _eye(
    iris: Float32[np.ndarray, "m 3"],
    colour: Int64[np.ndarray, " m"],
    reach: Float32[np.ndarray, " m"],
) -> Float32[np.ndarray, "m 3"]:
    # A dark pupil, and a ring that a black iris stands out from.
    ring = np.where(colour == palette.COLOUR_NAMES.index("black"), 235, 20).astype(np.float32)
    disc = np.where((reach > 0.72)[:, None], ring[:, None], iris)
    return np.where((reach < 0.16)[:, None], np.float32(12), disc)


def _marks(scenes: Scenes, stroke: Stroke, patch: _Patch) -> Int64[np.ndarray, " m"]:
    if stroke.outline != "ellipse":
        return _edge_of_shape(scenes, stroke, patch)
    column = _COLUMN.get((stroke.label, False))
    if column is None or stroke.part == "crown":
        return np.zeros(len(patch.image), dtype=np.int64)
    pattern = scenes.values[:, column][patch.image]
    along = np.floor(patch.along * np.float32(stroke.length / CELL)).astype(np.int64)
    across = np.floor(patch.across * np.float32(stroke.width / CELL)).astype(np.int64)
    tiles = palette.pattern_tiles()
    return tiles[pattern, across % palette.TILE, along % palette.TILE].astype(np.int64)


def _occluder(scenes: Scenes, k: int, *, coloured: bool) -> Layer:
    x, y, length, width, cosine, sine = (scenes.occluders[:, k, i] for i in range(6))
    present = length > 0
    length = np.where(present, length, 1)
    patch = _patch(
        _Ellipse(
            np.where(present, x, np.float32(-1e6)),
            y,
            np.stack([cosine, sine], axis=1) / length[:, None],
            np.stack([-sine, cosine], axis=1) / width[:, None],
            int(max(length.max(), width.max())) + 1,
        )
    )
    colours = _cover(scenes, k, patch) if coloured else _NO_COLOURS
    return Layer(-1, patch.place, np.array([-1], dtype=np.int8), patch.place, colours)


def _cover(scenes: Scenes, k: int, patch: _Patch) -> Float32[np.ndarray, "m 3"]:
    light = np.float32(1) - np.float32(0.25) * np.abs(patch.across)
    colour = np.array(COVERS, dtype=np.float32)[scenes.cover[:, k]]
    return colour[patch.image] * light[:, None]


def _photograph(
    light: Float32[np.ndarray, "pixels 3"], scenes: Scenes
) -> UInt8[np.ndarray, "n h w 3"]:
    images = light.reshape(-1, FRAME * FRAME, 3)
    pixels = np.empty(images.shape, dtype=np.uint8)
    for scene, image in enumerate(images):
        noise = speckle(scenes, scene).reshape(-1)
        pixels[scene] = exposed(image, noise, scenes.gain[scene], scenes.grain[scene])
    return pixels.reshape(-1, FRAME, FRAME, 3)


def exposed(
    light: Float32[np.ndarray, "m 3"],
    noise: Float32[np.ndarray, " m"],
    gain: np.float32,
    grain: np.float32,
) -> UInt8[np.ndarray, "m 3"]:
    """What a camera makes of the colours of some pixels of one image."""
    image = light * gain
    image += (noise * grain)[:, None]
    np.clip(image, 0, 255, out=image)
    return image.astype(np.uint8)


def speckle(scenes: Scenes, scene: int) -> Float32[np.ndarray, "h w"]:
    """The noise of a scene's picture, before it is scaled."""
    x, y = scenes.speckle[scene].tolist()
    return _noise()[y : y + FRAME, x : x + FRAME]


@cache
def _noise() -> Float32[np.ndarray, "side side"]:
    draws = uniforms(0, range(NOISE_SIDE), "noise", 2 * NOISE_SIDE)
    table = (draws[:, :NOISE_SIDE] + draws[:, NOISE_SIDE:] - 1).astype(np.float32)
    table.flags.writeable = False
    return table
