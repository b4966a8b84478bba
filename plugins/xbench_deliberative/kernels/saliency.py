"""Maps that know the image but no network."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int, Int64
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


def known_parts_map(
    points: Float[Tensor, "parts 3"], ambiguous: Bool[Tensor, " parts"], size: tuple[int, int]
) -> Float[Tensor, "h w"]:
    """Distance to the nearest unambiguous visible part minus that to the nearest ambiguous one.

    Pixels at unambiguous points come last and, of the others, pixels at ambiguous points
    first, so regions hold every ambiguous and no unambiguous part wherever the area
    allows it. `points` are x, y and visibility; distances are in pixels.
    """
    visible = points[:, 2] > 0
    wanted, unwanted = points[visible & ambiguous, :2], points[visible & ~ambiguous, :2]
    scores = _nearest(unwanted, size) - _nearest(wanted, size)
    scores[pixel_rows(wanted, size), pixel_columns(wanted, size)] = torch.inf
    scores[pixel_rows(unwanted, size), pixel_columns(unwanted, size)] = -torch.inf
    return scores


def known_masks_map(
    labels: Int[Tensor, "h w"],
    ambiguous: Bool[Tensor, " parts"],
    sizes: Int64[Tensor, " coverages"],
    *,
    union: bool,
) -> Float[Tensor, "h w"]:
    """2 on the pixels that are wanted, 0 on those of other ambiguous parts, 1 elsewhere.

    Wanted is the union of all ambiguous parts, or the one part with the best mean IoU over
    regions of these `sizes` that lie in it or hold it: min(size, area) / max(size, area).
    `labels` say which part a pixel shows, −1 for none; without an ambiguous part 1 everywhere.
    """
    areas = torch.bincount(labels.long().flatten() + 1, minlength=len(ambiguous) + 1)[1:]
    known = ambiguous & (areas > 0)
    if not union and known.any():
        low, high = torch.minimum(areas[:, None], sizes), torch.maximum(areas[:, None], sizes)
        reach = (low / high).mean(1).masked_fill(~known, -1)
        wanted = torch.zeros_like(known).index_fill(0, reach.argmax(), True)
    else:
        wanted = known
    worth = torch.ones(len(known) + 1).masked_fill(torch.cat([known.new_zeros(1), known]), 0.0)
    worth[1:][wanted] = 2.0
    return worth[labels.long() + 1]


def _nearest(points: Float[Tensor, "parts 2"], size: tuple[int, int]) -> Float[Tensor, "h w"]:
    """Distance of each pixel's centre from the nearest point; the diagonal where there is none."""
    height, width = size
    far = float(height + width)
    y = torch.arange(height, dtype=torch.float32)[:, None, None] + 0.5 - points[:, 1]
    x = torch.arange(width, dtype=torch.float32)[None, :, None] + 0.5 - points[:, 0]
    nothing = torch.full((height, width, 1), far)
    return torch.cat([(y.square() + x.square()).sqrt(), nothing], dim=2).amin(2)


def pixel_rows(points: Float[Tensor, "*n 2"], size: tuple[int, int]) -> Tensor:
    """Row of the pixel in which each point (x, y) lies; points outside go to the border."""
    return points[..., 1].nan_to_num().floor().long().clamp(0, size[0] - 1)


def pixel_columns(points: Float[Tensor, "*n 2"], size: tuple[int, int]) -> Tensor:
    """Column of the pixel in which each point (x, y) lies; points outside go to the border."""
    return points[..., 0].nan_to_num().floor().long().clamp(0, size[1] - 1)
