"""Image files, as RGB."""

import struct
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps
from torch import Tensor

from xbench.errors import DatasetError

DAMAGE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises for files that are no images, or damaged ones."""
_ROTATED = (5, 6, 7, 8)
"""Values of the EXIF orientation that swap width and height."""
_ORIENTATION = 0x0112


def decode(path: Path, what: str, *, upright: bool = False) -> UInt8[Tensor, "3 h w"]:
    """The image in RGB; grey, palette, transparent and 16-bit ones are converted.

    `upright` turns it as its EXIF orientation says. `DatasetError` names `what` and the path.
    """
    try:
        with Image.open(path) as image:
            turned = ImageOps.exif_transpose(image) if upright else image
            pixels = np.array(_rgb(turned))
    except DAMAGE as error:
        raise _undecodable(path, what, error) from error
    return torch.from_numpy(pixels).permute(2, 0, 1)


def size(path: Path, what: str, *, upright: bool = False) -> tuple[int, int]:
    """Height and width, from the header alone."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            swap = upright and image.getexif().get(_ORIENTATION) in _ROTATED
    except DAMAGE as error:
        raise _undecodable(path, what, error) from error
    return (width, height) if swap else (height, width)


def damage(path: Path) -> str:
    """Why the image does not decode; "" if it does. A JPEG is decoded at an eighth of its size."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (image.width // 8, image.height // 8))
            image.load()
    except DAMAGE as error:
        return str(error) or type(error).__name__
    return ""


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits; Pillow would clip them
        return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)).convert("RGB")
    return image.convert("RGB")


def _undecodable(path: Path, what: str, error: Exception) -> DatasetError:
    reason = "the file is missing" if isinstance(error, FileNotFoundError) else str(error)
    return DatasetError(f"{what}: {path} does not decode as an image: {reason}")
