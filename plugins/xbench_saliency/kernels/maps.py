"""Maps of saliency, brought to one scale and laid on images."""

import torch
from jaxtyping import Float
from torch import Tensor

GREY = (0.299, 0.587, 0.114)
"""Brightness of red, green and blue (Rec. 601)."""


def scaled(maps: Float[Tensor, "*n h w"]) -> Float[Tensor, "*n h w"]:
    """Maps whose largest absolute value is 1; maps of zeros stay as they are."""
    largest = maps.abs().amax(dim=(-2, -1), keepdim=True)
    return maps / largest.where(largest > 0, torch.ones_like(largest))


def brightness(images: Float[Tensor, "*n 3 h w"]) -> Float[Tensor, "*n h w"]:
    """How bright each pixel looks."""
    red, green, blue = (GREY[c] * images[..., c, :, :] for c in range(3))
    return red + green + blue


def repeated(image: Float[Tensor, "d h w"], times: int) -> Float[Tensor, "d height width"]:
    """The image with every pixel as a square of `times` × `times`."""
    return image.repeat_interleave(times, dim=1).repeat_interleave(times, dim=2)


def tinted(
    image: Float[Tensor, "3 h w"],
    saliency: Float[Tensor, "h w"],
    colours: Float[Tensor, "2 3"],
    strength: float,
) -> Float[Tensor, "3 h w"]:
    """The image in pale grey, `strength` · |saliency| of it covered with the sign's colour.

    `saliency` lies in [−1, 1]; `colours` are those of negative and of positive values.
    """
    pale = 0.3 + 0.7 * brightness(image)[None]
    cover = strength * saliency.abs().clamp(max=1)
    negative, positive = colours.to(image).view(2, 3, 1, 1)
    return pale * (1 - cover) + torch.where(saliency < 0, negative, positive) * cover
