"""Interventions on parts: which images are to lack which, and what is drawn in place of which."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8
from torch import Tensor

from xbench_toybirds.drawing.removal import Variants
from xbench_toybirds.drawing.render import render
from xbench_toybirds.drawing.scene import Scenes
from xbench_toybirds.hashing import integers, uniforms
from xbench_toybirds.refusal import refuse
from xbench_toybirds.world import ATTRIBUTES, CLASSES, PARTS, World

_PARTS = [attribute.part for attribute in ATTRIBUTES]


def variants_of(ids: Sequence[int], removed: Bool[Tensor, "n parts"]) -> tuple[list[int], Variants]:
    """The images that are asked for, each once, and the pictures to be made of them."""
    known, scene = np.unique(np.asarray(ids, dtype=np.int64).reshape(-1), return_inverse=True)
    return known.tolist(), Variants(scene, checked_marks("removed", ids, removed))


def checked_marks(
    field: str, ids: Sequence[int], marks: Bool[Tensor, "n parts"]
) -> Bool[np.ndarray, "n parts"]:
    """Which parts of each image are marked; refuses what does not fit the images."""
    shape = (len(ids), len(PARTS))
    if tuple(marks.shape) != shape or marks.dtype != torch.bool:
        form = f"{str(marks.dtype).removeprefix('torch.')} of shape {tuple(marks.shape)}"
        refuse(field, form, f"bool of shape {shape}: a row for each image, a column for each part")
    return marks.cpu().numpy()


def redrawn_values(
    world: World,
    ids: Int64[np.ndarray, " n"],
    values: Int64[np.ndarray, "n attributes"],
    redrawn: Bool[np.ndarray, "n parts"],
    draw: int,
) -> Int64[np.ndarray, "n attributes"]:
    """The values, those of marked parts as an image of any class has them, all classes alike.

    A part's attributes are drawn together, from one class; what a part gets depends on seed, id
    and draw, not on which others are marked.
    """
    stream = f"redraw {draw}"
    classes = integers(world.seed, ids, f"{stream}: class", [len(CLASSES)] * len(PARTS))
    draws = uniforms(world.seed, ids, f"{stream}: attributes", len(ATTRIBUTES))
    others = world.draw_each(classes[:, _PARTS], draws)
    return np.where(redrawn[:, _PARTS], others, values)


def pixels_redrawn(
    ids: Int64[np.ndarray, " n"],
    scenes: Scenes,
    values: Int64[np.ndarray, "n attributes"],
    pixels: UInt8[np.ndarray, "n h w 3"],
) -> UInt8[np.ndarray, "n h w 3"]:
    """The scenes with other values, given their `pixels`; what is alike is painted once."""
    changed = np.flatnonzero((values != scenes.values).any(axis=1))
    keys = np.column_stack([ids, values])[changed]
    _, first, same = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    others = render(scenes._replace(values=values).take(changed[first]))
    images = pixels.copy()
    images[changed] = others.pixels[same.reshape(-1)]
    return images
