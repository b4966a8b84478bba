"""Images without detail: the same everywhere, or blurred."""

import torch
from jaxtyping import Float
from torch import Tensor


def mean_coloured(image: Float[Tensor, "d h w"]) -> Float[Tensor, "d h w"]:
    """The mean of each channel, everywhere."""
    return image.mean((1, 2), keepdim=True).expand_as(image)


def gaussian_blurred(image: Float[Tensor, "d h w"], sigma: float) -> Float[Tensor, "d h w"]:
    """Gaussian means, along columns and then rows; over what lies inside the image."""
    down, across = (_weights(side, sigma).to(image) for side in image.shape[1:])
    return down @ image @ across.T


def _weights(side: int, sigma: float) -> Float[Tensor, "side side"]:
    """A row for each place: how much every place counts there."""
    places = torch.arange(side, dtype=torch.float64)
    weights = torch.exp(-((places[:, None] - places) ** 2) / (2 * sigma**2))
    return weights / weights.sum(1, keepdim=True)
