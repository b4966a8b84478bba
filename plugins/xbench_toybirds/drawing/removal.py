"""Pictures without some parts: what lies beneath the strokes of a part comes to be seen.

A pixel shows the topmost layer that covers it, so taking parts away changes no pixel but those
that show them. All layers of an image are painted once, however many pictures are made of it.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int8, Int64, Shaped, UInt8

from xbench_toybirds.drawing.render import (
    CHUNK,
    Layer,
    exposed,
    ground,
    layers,
    speckle,
)
from xbench_toybirds.drawing.scene import FRAME, Scenes

_SIZE = FRAME * FRAME


class Variants(NamedTuple):
    """Pictures to be made: of which scene each is, and which parts are missing in it."""

    scene: Int64[np.ndarray, " m"]
    removed: Bool[np.ndarray, "m parts"]


class _Stack(NamedTuple):
    """All that was painted on one image, from the bottom up: place, part, and what it shows."""

    place: Int64[np.ndarray, " k"]
    label: Int8[np.ndarray, " k"]
    shows: Shaped[np.ndarray, "k ..."]


class _Beneath(NamedTuple):
    """Places that show something else once parts are missing, and what they show."""

    place: Int64[np.ndarray, " p"]
    shows: Shaped[np.ndarray, "p ..."]


def pixels_without(
    scenes: Scenes, pixels: UInt8[np.ndarray, "n h w 3"], variants: Variants
) -> UInt8[np.ndarray, "m h w 3"]:
    """The scenes' pictures, given as `pixels`, without the parts that each variant lacks."""
    images = pixels[variants.scene].reshape(-1, _SIZE, 3)
    for scene, stack in _stacks(scenes, variants, coloured=True):
        noise = speckle(scenes, scene).reshape(-1)
        for variant, beneath in _uncovered(stack, variants, scene):
            images[variant, beneath.place] = exposed(
                beneath.shows, noise[beneath.place], scenes.gain[scene], scenes.grain[scene]
            )
    return images.reshape(-1, FRAME, FRAME, 3)


def regions_without(
    scenes: Scenes, regions: Int8[np.ndarray, "n h w"], variants: Variants
) -> Int8[np.ndarray, "m h w"]:
    """The same of the regions that pixels show."""
    images = regions[variants.scene].reshape(-1, _SIZE)
    for scene, stack in _stacks(scenes, variants, coloured=False):
        for variant, beneath in _uncovered(stack, variants, scene):
            images[variant, beneath.place] = beneath.shows
    return images.reshape(-1, FRAME, FRAME)


def _uncovered(stack: _Stack, variants: Variants, scene: int) -> Iterator[tuple[int, _Beneath]]:
    """Each variant of a scene that lacks a part, and what it shows instead."""
    top = np.empty(_SIZE, dtype=np.int8)
    top[stack.place] = stack.label
    lacking = (variants.scene == scene) & variants.removed.any(axis=1)
    for variant in np.flatnonzero(lacking).tolist():
        # One more, for what is no part: its label is −1.
        is_removed = np.append(variants.removed[variant], False)
        yield variant, _beneath(stack, top, is_removed)


def _beneath(
    stack: _Stack, top: Int8[np.ndarray, " size"], is_removed: Bool[np.ndarray, " labels"]
) -> _Beneath:
    bare = is_removed[top]
    stays = np.flatnonzero(bare[stack.place] & ~is_removed[stack.label])
    # Of several entries of a place the last is left, as it is when they are painted.
    last = np.empty(_SIZE, dtype=np.int64)
    last[stack.place[stays]] = stays
    place = np.flatnonzero(bare)
    return _Beneath(place, stack.shows[last[place]])


def _stacks(scenes: Scenes, variants: Variants, *, coloured: bool) -> Iterator[tuple[int, _Stack]]:
    """The stack of each scene that lacks a part in any variant: of colours, or of regions."""
    wanted = np.unique(variants.scene[variants.removed.any(axis=1)])
    for start in range(0, len(wanted), CHUNK):
        numbers = wanted[start : start + CHUNK]
        stack = _stack(scenes.take(numbers), coloured=coloured)
        yield from zip(numbers.tolist(), _by_image(stack, len(numbers)), strict=True)


def _stack(scenes: Scenes, *, coloured: bool) -> _Stack:
    size = len(scenes.context) * _SIZE
    floor = ground(scenes) if coloured else np.full(size, -1, dtype=np.int8)
    entries = [_Stack(np.arange(size), np.full(size, -1, dtype=np.int8), floor)]
    entries += [_entries(layer, coloured=coloured) for layer in layers(scenes, coloured=coloured)]
    return _Stack(*(np.concatenate(field) for field in zip(*entries, strict=True)))


def _entries(layer: Layer, *, coloured: bool) -> _Stack:
    place = layer.shape if coloured else layer.place
    shows = layer.colours if coloured else np.broadcast_to(layer.regions, place.shape)
    return _Stack(place, np.full(len(place), layer.label, dtype=np.int8), shows)


def _by_image(stack: _Stack, count: int) -> Iterator[_Stack]:
    image = stack.place // _SIZE
    # Stable: within an image the order of painting stays.
    order = np.argsort(image.astype(np.int8), kind="stable")
    ends = np.cumsum(np.bincount(image, minlength=count))
    for number, entries in enumerate(np.split(order, ends[:-1])):
        place, label, shows = (field[entries] for field in stack)
        yield _Stack(place - number * _SIZE, label, shows)
