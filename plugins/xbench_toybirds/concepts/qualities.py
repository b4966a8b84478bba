"""Image qualities: what a camera, a print or a light does to a whole picture."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from xbench_toybirds.hashing import uniforms

_Images = Float32[np.ndarray, "n h w 3"]


def with_quality(
    name: str, images: UInt8[np.ndarray, "n h w 3"], seed: int, ids: Int64[np.ndarray, " n"]
) -> UInt8[np.ndarray, "n h w 3"]:
    """The images with one quality given to them."""
    pixels = images.astype(np.float32)
    changed = _NOISY[name](pixels, seed, ids) if name in _NOISY else _PLAIN[name](pixels)
    return np.clip(changed, 0, 255).astype(np.uint8)


def _grey(images: _Images) -> _Images:
    weights = np.float32(0.299), np.float32(0.587), np.float32(0.114)
    grey = images[..., 0] * weights[0] + images[..., 1] * weights[1] + images[..., 2] * weights[2]
    return np.repeat(grey[..., None], 3, axis=3)


def _mix(images: _Images, others: _Images | float, share: float) -> _Images:
    return images + np.float32(share) * (others - images)


def _tint(red: float, green: float, blue: float) -> Callable[[_Images], _Images]:
    factors = np.array((red, green, blue), dtype=np.float32)
    return lambda images: images * factors


def _smeared(images: _Images, axis: int, reach: int) -> _Images:
    total = images.copy()
    for step in range(1, reach + 1):
        total += np.roll(images, step, axis) + np.roll(images, -step, axis)
    return total / np.float32(2 * reach + 1)


def _blurred(images: _Images, reach: int) -> _Images:
    return _smeared(_smeared(images, 1, reach), 2, reach)


def _pixelated(images: _Images, block: int) -> _Images:
    return images[:, ::block, ::block].repeat(block, axis=1).repeat(block, axis=2)


def _edge(images: _Images) -> Float32[np.ndarray, "1 h w 1"]:
    # 0 in the middle of the image, 1 in the middle of its sides.
    side = images.shape[1]
    y, x = (np.mgrid[:side, :side].astype(np.float32) + np.float32(0.5)) * np.float32(2 / side) - 1
    return (x * x + y * y)[None, :, :, None]


def _framed(images: _Images) -> _Images:
    canvas = np.zeros_like(images)
    canvas[:, 8:-8, 8:-8] = images[:, 8:-8, 8:-8]
    return canvas


def _scanned(images: _Images) -> _Images:
    canvas = images.copy()
    canvas[:, ::3] *= np.float32(0.45)
    return canvas


_PLAIN: dict[str, Callable[[_Images], _Images]] = {
    "dark": lambda images: images * np.float32(0.45),
    "very dark": lambda images: images * np.float32(0.2),
    "bright": lambda images: images * np.float32(1.4) + 20,
    "overexposed": lambda images: images * np.float32(2) + 50,
    "low contrast": lambda images: _mix(images, 128.0, 0.65),
    "high contrast": lambda images: _mix(images, 128.0, -1.0),
    "faded": lambda images: _mix(images, 200.0, 0.5),
    "foggy": lambda images: _mix(images, 225.0, 0.65),
    "hazy": lambda images: _mix(_blurred(images, 1), 210.0, 0.45),
    "blurry": lambda images: _blurred(images, 2),
    "strongly blurry": lambda images: _blurred(images, 5),
    "smeared sideways": lambda images: _smeared(images, 2, 6),
    "smeared up and down": lambda images: _smeared(images, 1, 6),
    "sharpened": lambda images: _mix(images, _blurred(images, 1), -2.0),
    "pixelated": lambda images: _pixelated(images, 4),
    "coarsely pixelated": lambda images: _pixelated(images, 8),
    "greyscale": _grey,
    "pale": lambda images: _mix(images, _grey(images), 0.65),
    "vivid": lambda images: _mix(images, _grey(images), -0.8),
    "reddish": _tint(1.3, 0.65, 0.65),
    "greenish": _tint(0.65, 1.3, 0.65),
    "bluish": _tint(0.65, 0.65, 1.3),
    "yellowish": _tint(1.15, 1.1, 0.5),
    "pinkish": _tint(1.2, 0.6, 1.15),
    "cyanish": _tint(0.5, 1.15, 1.15),
    "warm": _tint(1.15, 1.0, 0.75),
    "cold": _tint(0.75, 1.0, 1.15),
    "sepia": lambda images: _tint(1.1, 0.95, 0.7)(_grey(images)),
    "inverted": lambda images: 255 - images,
    "posterised": lambda images: np.floor(images / 85) * 85,
    "black and white": lambda images: np.where(_grey(images) > 120, np.float32(255), 0),
    "vignetted": lambda images: images * np.clip(np.float32(1.25) - _edge(images), 0.05, 1),
    "spotlit": lambda images: images * np.where(_edge(images) < 0.45, 1, np.float32(0.25)),
    "framed": _framed,
    "line-scanned": _scanned,
    "upside down": lambda images: images[:, ::-1],
    "lying on its side": lambda images: np.swapaxes(images, 1, 2),
}

_Noisy = Callable[[_Images, int, Int64[np.ndarray, " n"]], _Images]


def _dice(images: _Images, seed: int, ids: Int64[np.ndarray, " n"]) -> Float32[np.ndarray, "n h w"]:
    count = images.shape[1] * images.shape[2]
    return uniforms(seed, ids, "dice", count).astype(np.float32).reshape(images.shape[:3])


def _noisy(images: _Images, seed: int, ids: Int64[np.ndarray, " n"]) -> _Images:
    return images + (_dice(images, seed, ids)[..., None] - np.float32(0.5)) * 130


def _grainy(images: _Images, seed: int, ids: Int64[np.ndarray, " n"]) -> _Images:
    dice = _dice(images, seed, ids)[:, ::2, ::2].repeat(2, axis=1).repeat(2, axis=2)
    return images + (dice[..., None] - np.float32(0.5)) * 110


def _peppered(images: _Images, seed: int, ids: Int64[np.ndarray, " n"]) -> _Images:
    dice = _dice(images, seed, ids)[..., None]
    return np.where(dice < 0.06, np.float32(0), np.where(dice > 0.94, np.float32(255), images))


_NOISY: dict[str, _Noisy] = {"noisy": _noisy, "grainy": _grainy, "peppered": _peppered}

QUALITIES = (*_PLAIN, *_NOISY)
"""Names of the qualities."""
