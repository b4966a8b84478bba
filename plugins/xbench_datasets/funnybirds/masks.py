"""The part maps of FunnyBirds: a colour for each part."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int16
from PIL import Image
from torch import Tensor

from xbench import PHOTO_DAMAGE, DatasetError

COLOURS = {
    "beak": ((255, 255, 0),),
    "eye": ((255, 255, 253), (255, 255, 254)),
    "foot": ((255, 0, 1), (255, 0, 2)),
    "tail": ((0, 0, 255),),
    "wing": ((0, 255, 1), (0, 255, 2)),
}
"""Left and right have colours of their own; body, background and its objects have others."""


def part_mask(
    path: Path, parts: Sequence[str], size: tuple[int, int], what: str
) -> Int16[Tensor, "h w"]:
    """Which of the parts each pixel shows, −1 for none; `DatasetError` for another size."""
    try:
        with Image.open(path) as image:
            pixels = np.array(image.convert("RGBA"))[:, :, :3].astype(np.int32)
    except FileNotFoundError as error:
        raise DatasetError(f"{what}: part map {path} is missing") from error
    except PHOTO_DAMAGE as error:
        raise DatasetError(f"{what}: {path} does not decode as an image: {error}") from error
    if pixels.shape[:2] != tuple(size):
        found, wanted = (f"{width}×{height}" for height, width in (pixels.shape[:2], size))
        raise DatasetError(f"{what}: part map {path} is {found} pixels, but its image is {wanted}")
    mask = np.full(pixels.shape[:2], -1, np.int16)
    codes = (pixels[..., 0] << 16) | (pixels[..., 1] << 8) | pixels[..., 2]
    for place, part in enumerate(parts):
        for red, green, blue in COLOURS[part]:
            mask[codes == (red << 16) | (green << 8) | blue] = place
    return torch.from_numpy(mask)
