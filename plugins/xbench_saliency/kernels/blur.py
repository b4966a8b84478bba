"""Blur: images at several strengths of it, and pixel by pixel between them."""

from collections.abc import Sequence
from functools import cache

import torch
from jaxtyping import Float, Float64
from torch import Tensor


@cache
def gaussian_weights(side: int, sigma: float) -> Float64[Tensor, "side side"]:
    """Row by row the weights of a blurred line's pixels; each row sums to 1, at borders too.

    They are kept, and not to be changed.
    """
    if sigma == 0:
        return torch.eye(side, dtype=torch.float64)
    places = torch.arange(side, dtype=torch.float64)
    return (-((places[:, None] - places) / sigma).square() / 2).softmax(1)


def blurred(images: Float[Tensor, "*n h w"], sigma: float) -> Float[Tensor, "*n h w"]:
    """The images after a Gaussian blur of `sigma` pixels, of nothing but their own pixels.

    It is computed in double precision, so that what is constant stays so exactly.
    """
    if sigma == 0:
        return images
    rows, columns = (gaussian_weights(side, sigma).to(images.device) for side in images.shape[-2:])
    return (rows @ images.double() @ columns.T).to(images.dtype)


def blur_pyramid(
    images: Float[Tensor, "n c h w"], sigmas: Sequence[float]
) -> Float[Tensor, "n levels h w c"]:
    """The images blurred by each sigma; a pixel's channels lie side by side."""
    levels = [blurred(images, sigma) for sigma in sigmas]
    return torch.stack(levels, 1).permute(0, 1, 3, 4, 2).contiguous()


def at_levels(
    pyramid: Float[Tensor, "n levels h w c"], heights: Float[Tensor, "n m h w"]
) -> Float[Tensor, "n m c h w"]:
    """Images whose pixels come from where `heights` says: 0 is the first level, 1 the last.

    Between two levels a pixel is their mean, weighted by nearness. Gradients go to `heights`.
    """
    steps = pyramid.shape[1] - 1
    scaled = heights * steps
    below = scaled.detach().floor().clamp(0, steps - 1)
    places = below.long()[..., None].expand(*heights.shape, pyramid.shape[-1])
    low, high = pyramid.gather(1, places), pyramid.gather(1, places + 1)
    pixels = low + (scaled - below)[..., None] * (high - low)
    return pixels.permute(0, 1, 4, 2, 3)
