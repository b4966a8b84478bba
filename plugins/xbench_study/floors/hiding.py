"""What is left of an image where only what maps mark is seen."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Hidden = Literal["mean", "blurred"]
"""What stands in the place of what is hidden: the image's mean colour, or the image blurred."""
BLUR = 0.1
"""The standard deviation of the blur, as a share of the image's longer side."""


def strongest(strengths: Float[Tensor, "h w"], share: float) -> Bool[Tensor, "h w"]:
    """The share of the pixels with the largest strengths; a pixel of strength 0 is none of them.

    Of equals those come first that are read first.
    """
    count = round(share * strengths.numel())
    order = strengths.flatten().argsort(descending=True, stable=True)
    chosen = torch.zeros(strengths.numel(), dtype=torch.bool, device=strengths.device)
    chosen[order[:count]] = True
    return chosen.view_as(strengths) & (strengths > 0)


def marked(strengths: Sequence[Float[Tensor, "h w"]], share: float) -> Bool[Tensor, "h w"]:
    """The pixels that at least one map marks, each its strongest share."""
    return torch.stack([strongest(one, share) for one in strengths]).any(0)


def with_hidden(
    image: Float[Tensor, "3 h w"], kept: Bool[Tensor, "h w"], hidden: Hidden
) -> Float[Tensor, "3 h w"]:
    """The image where it is kept, and what hides it elsewhere."""
    if hidden == "mean":
        cover = image.mean((1, 2), keepdim=True).expand_as(image)
    else:
        cover = blurred(image, BLUR * max(image.shape[-2:]))
    return torch.where(kept, image, cover)


def blurred(image: Float[Tensor, "3 h w"], sigma: float) -> Float[Tensor, "3 h w"]:
    """The image after a Gaussian blur of `sigma` pixels; weights sum to 1 at borders too."""
    rows, columns = (_weights(side, sigma).to(image) for side in image.shape[-2:])
    return rows @ image @ columns.T


def _weights(side: int, sigma: float) -> Float[Tensor, "side side"]:
    places = torch.arange(side, dtype=torch.float64)
    weights = torch.exp(-((places[:, None] - places) ** 2) / (2 * sigma**2))
    return weights / weights.sum(1, keepdim=True)
