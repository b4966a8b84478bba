"""Maps that know the image but no network."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

SOBEL = ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1))
"""Weights of the derivative across; transposed, those of the derivative down."""


def centre_map(height: int, width: int) -> Float[Tensor, "height width"]:
    """Minus the distance of each pixel's centre from the image's centre."""
    y = torch.arange(height, dtype=torch.float32) + 0.5 - height / 2
    x = torch.arange(width, dtype=torch.float32) + 0.5 - width / 2
    return -torch.hypot(y[:, None], x[None, :])


def sobel_magnitude(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n h w"]:
    """Length of the Sobel gradient of the mean over channels; the border repeats itself."""
    grey = functional.pad(images.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")[:, 0]
    across, down = _row_by_row(grey, SOBEL), _row_by_row(grey, tuple(zip(*SOBEL, strict=True)))
    return (across.square() + down.square()).sqrt()


def _row_by_row(
    images: Float[Tensor, "n rows columns"], weights: Sequence[Sequence[int]]
) -> Float[Tensor, "n h w"]:
    """Correlation with 3 × 3 weights, in one order of sums.

    `conv2d` picks its order by the number of threads and images, and the last bit follows.
    """
    height, width = images.shape[1] - 2, images.shape[2] - 2
    total = images.new_zeros(len(images), height, width)
    for y, row in enumerate(weights):
        for x, weight in enumerate(row):
            if weight:
                total += weight * images[:, y : y + height, x : x + width]
    return total
