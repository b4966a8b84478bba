"""Image files, as RGB."""

import os
import struct
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps
from torch import Tensor

from xbench.errors import DatasetError

PHOTO_DAMAGE = (
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
_SIXTEEN_TO_EIGHT = 257
LARGE = 16_000_000
"""Pixels above which a JPEG is read at a part of its size."""


def decode_photo(path: Path, what: str, *, upright: bool = False) -> UInt8[Tensor, "3 h w"]:
    """The image in RGB; grey, palette, transparent and 16-bit ones are converted.

    `upright` turns it as its EXIF orientation says. `DatasetError` names `what` and the path.
    """
    try:
        with Image.open(path) as image:
            turned = ImageOps.exif_transpose(image) if upright else image
            pixels = np.array(_rgb(turned))
    except PHOTO_DAMAGE as error:
        raise _undecodable(path, what, error) from error
    return torch.from_numpy(pixels).permute(2, 0, 1)


def square_photo(
    path: Path, what: str, side: int, *, upright: bool = False
) -> UInt8[Tensor, "3 s s"]:
    """The middle of the image, resized so that its short side has `side` pixels."""
    try:
        with Image.open(path) as image:
            image.draft("RGB", (2 * side, 2 * side))  # a JPEG much larger is read at a part of it
            turned = ImageOps.exif_transpose(image) if upright else image
            shape, form = (side, side), Image.Resampling.BICUBIC
            pixels = np.array(ImageOps.fit(_rgb(turned), shape, form))
    except PHOTO_DAMAGE as error:
        raise _undecodable(path, what, error) from error
    return torch.from_numpy(pixels).permute(2, 0, 1)


def upright_photo(source: Path | BinaryIO, what: str, side: int = 0) -> Image.Image:
    """The image in RGB, turned as its EXIF orientation says; its pixels are those of the file.

    Where more than `LARGE` pixels lie in a JPEG, and a short side of `side` is enough, it is read
    at a half, a quarter or an eighth of its size. `DatasetError` names `what` and the source.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(source)
        with opened as image:
            if side and image.width * image.height > LARGE:
                image.draft("RGB", (side, side))
            turned = ImageOps.exif_transpose(image)
            return turned if turned.mode == "RGB" else _rgb(turned)
    except PHOTO_DAMAGE as error:
        raise _undecodable(source, what, error) from error


def photos_below(folder: Path) -> list[Path]:
    """The image files of a folder, in the order of their names; `DatasetError` for none."""
    suffixes = Image.registered_extensions()
    files = [path for path in folder.iterdir() if path.suffix.lower() in suffixes]
    if not files:
        raise DatasetError(f"folder {folder} has no images; give photos, or a folder of photos")
    return sorted(files)


def photo_size(path: Path, what: str, *, upright: bool = False) -> tuple[int, int]:
    """Height and width, from the header alone."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            swap = upright and image.getexif().get(_ORIENTATION) in _ROTATED
    except PHOTO_DAMAGE as error:
        raise _undecodable(path, what, error) from error
    return (width, height) if swap else (height, width)


def damaged_photos(paths: Sequence[Path]) -> list[str]:
    """One line for each image that is missing or does not decode, in order."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return [line for line in threads.map(_damage, paths) if line]


def _damage(path: Path) -> str:
    if not path.is_file():
        return f"missing: {path}"
    try:
        with Image.open(path) as image:
            # a JPEG is read in full but computed at an eighth of its size: several times faster
            image.draft("RGB", (max(image.width // 8, 1), max(image.height // 8, 1)))
            image.load()
    except PHOTO_DAMAGE as error:
        return f"damaged: {path}: {str(error) or type(error).__name__}"
    return ""


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits; Pillow would clip them
        return Image.fromarray((np.asarray(image) // _SIXTEEN_TO_EIGHT).astype(np.uint8)).convert(
            "RGB"
        )
    return image.convert("RGB")


def _undecodable(path: Path | BinaryIO, what: str, error: Exception) -> DatasetError:
    if not isinstance(path, Path):
        return DatasetError(f"{what} does not decode as an image")
    reason = "the file is missing" if isinstance(error, FileNotFoundError) else str(error)
    return DatasetError(f"{what}: {path} does not decode as an image: {reason}")
