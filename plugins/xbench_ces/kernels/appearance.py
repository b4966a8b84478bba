"""What light, colour and focus do to whole pictures: perturbations, and qualities to give.

Every function takes images in [0, 1] and returns images in [0, 1] of the same shape and
type; each image is changed by itself. A strength of 0 leaves an image as it is, bit for bit.
"""

import math
from collections.abc import Callable, Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Perturbation = Literal["grey", "blur", "hue"]
Direction = Literal["rows", "columns", "both"]

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in ITU-R BT.601, which photographs are made grey with."""
WIDEST_BLUR = 0.05
"""Standard deviation of the strongest blur, as a share of the shorter side."""


def grey(images: Float[Tensor, "n 3 h w"], strength: float) -> Float[Tensor, "n 3 h w"]:
    """The images blended with their grey version: (1 − s) x + s · luma(x), BT.601."""
    return torch.lerp(images, luma(images), strength) if strength else images


def luma(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """The grey version of the images: .299 R + .587 G + .114 B in all three channels."""
    weights = images.new_tensor(LUMA)[:, None, None]
    return (images * weights).sum(dim=1, keepdim=True).clamp_(0, 1).expand_as(images)


def blur(images: Float[Tensor, "n 3 h w"], strength: float) -> Float[Tensor, "n 3 h w"]:
    """A Gaussian blur whose σ grows to 5 % of the shorter side; borders repeat outwards."""
    sigma = strength * WIDEST_BLUR * min(images.shape[-2:])
    return gaussian_blur(images, sigma) if sigma else images


def gaussian_blur(images: Float[Tensor, "n 3 h w"], sigma: float) -> Float[Tensor, "n 3 h w"]:
    """The images convolved with a Gaussian of `sigma` pixels, cut off at 3 σ."""
    reach = max(1, math.ceil(3 * sigma))
    # in double precision and divided first: so no σ, however small, makes it 0 / 0
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    weights = (weights / weights.sum()).to(images)
    return _convolved(_convolved(images, weights, 2), weights, 3).clamp_(0, 1)


def _convolved(images: Tensor, weights: Tensor, axis: int) -> Tensor:
    reach, row = len(weights) // 2, axis == 3
    padding = (reach, reach, 0, 0) if row else (0, 0, reach, reach)
    padded = functional.pad(images, padding, mode="replicate")
    kernel = weights.view(1, 1, 1, -1) if row else weights.view(1, 1, -1, 1)
    return functional.conv2d(padded, kernel.expand(3, -1, -1, -1), groups=3)


def hue(images: Float[Tensor, "n 3 h w"], strength: float) -> Float[Tensor, "n 3 h w"]:
    """The images with every hue turned by `strength` × 180°, in HSV; greys stay as they are."""
    if not strength:
        return images
    value, least = images.amax(dim=1, keepdim=True), images.amin(dim=1, keepdim=True)
    turned = hues(images)[:, None] + 180.0 * strength
    # HSV to RGB without cases: each channel falls from the largest to the smallest value
    # within 60° of hue, at a place of its own
    starts = images.new_tensor((5.0, 3.0, 1.0)).view(1, 3, 1, 1)
    place = (starts + turned / 60.0) % 6.0
    fall = torch.minimum(place, 4.0 - place).clamp_(0, 1)
    return (value - (value - least) * fall).clamp_(0, 1)


def hues(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n h w"]:
    """The hue of every pixel in degrees, red at 0, green at 120, blue at 240; 0 for greys."""
    red, green, blue = images.unbind(dim=1)
    chroma = images.amax(dim=1) - images.amin(dim=1)
    safe = torch.where(chroma > 0, chroma, torch.ones_like(chroma))
    options = torch.stack(
        [(green - blue) / safe, (blue - red) / safe + 2, (red - green) / safe + 4]
    )
    largest = images.argmax(dim=1)
    sixths = options.gather(0, largest[None])[0] % 6.0
    return torch.where(chroma > 0, 60.0 * sixths, torch.zeros_like(chroma))


def coloured(
    images: Float[Tensor, "n 3 h w"], factors: tuple[float, float, float]
) -> Float[Tensor, "n 3 h w"]:
    """The grey version of the images seen through a filter: each channel times its factor."""
    return (luma(images) * images.new_tensor(factors)[:, None, None]).clamp_(0, 1)


def exposed(images: Float[Tensor, "n 3 h w"], factor: float) -> Float[Tensor, "n 3 h w"]:
    """The images darker (factor below 1) or brighter (above 1), cut off at white."""
    return (images * factor).clamp_(0, 1)


def contrasted(images: Float[Tensor, "n 3 h w"], factor: float) -> Float[Tensor, "n 3 h w"]:
    """Differences from each image's mean luma times `factor`."""
    mean = luma(images).mean(dim=(1, 2, 3), keepdim=True)
    return (mean + factor * (images - mean)).clamp_(0, 1)


def noisy(
    images: Float[Tensor, "n 3 h w"], noise: Float[Tensor, "n 3 h w"], deviation: float
) -> Float[Tensor, "n 3 h w"]:
    """The images with `deviation` times standard normal `noise` added."""
    return (images + deviation * noise).clamp_(0, 1)


def pixelated(images: Float[Tensor, "n 3 h w"], block: int) -> Float[Tensor, "n 3 h w"]:
    """The images in squares of `block` pixels, each of their mean colour."""
    height, width = images.shape[-2:]
    means = functional.avg_pool2d(images, block, ceil_mode=True)
    grown = means.repeat_interleave(block, dim=2).repeat_interleave(block, dim=3)
    return grown[..., :height, :width].clamp(0, 1)


def hazy(images: Float[Tensor, "n 3 h w"], share: float, level: float) -> Float[Tensor, "n 3 h w"]:
    """The images behind a veil of grey `level` that hides a `share` of them."""
    return (images + share * (level - images)).clamp_(0, 1)


def patterned(
    images: Float[Tensor, "n 3 h w"], pattern: Float[Tensor, "h w"], depth: float
) -> Float[Tensor, "n 3 h w"]:
    """The images darkened by up to `depth` where the pattern is 0, and not where it is 1."""
    return images * (1 - depth * (1 - pattern))


def stripes(height: int, width: int, period: int, direction: Direction) -> Float[Tensor, "h w"]:
    """Bars of 0 and 1, each half a period wide: `rows`, `columns`, or `both` for checks."""
    rows = (torch.arange(height) * 2 // period % 2)[:, None].expand(height, width)
    columns = (torch.arange(width) * 2 // period % 2)[None].expand(height, width)
    patterns = {"rows": rows, "columns": columns, "both": (rows + columns) % 2}
    return patterns[direction].float()


def dots(height: int, width: int, period: int) -> Float[Tensor, "h w"]:
    """1 inside discs of a third of the period as radius, one in each square of that side."""
    y = (torch.arange(height) % period - (period - 1) / 2)[:, None]
    x = (torch.arange(width) % period - (period - 1) / 2)[None]
    return (y**2 + x**2 <= (period / 3) ** 2).float()


PERTURBATIONS: Mapping[Perturbation, Callable[[Tensor, float], Tensor]] = {
    "grey": grey,
    "blur": blur,
    "hue": hue,
}
"""What images can be perturbed with, by a strength from 0 to 1."""


def perturbed(
    images: Float[Tensor, "n 3 h w"], perturbation: Perturbation, strength: float
) -> Float[Tensor, "n 3 h w"]:
    """The images perturbed so strongly, from 0 for not at all to 1."""
    return PERTURBATIONS[perturbation](images, strength)
