"""Maps that know the parts of an image but no network."""

import torch
from jaxtyping import Bool, Float, Int, Int64
from torch import Tensor


def known_parts_maps(
    points: Float[Tensor, "parts 3"], ambiguous: Bool[Tensor, "q parts"], size: tuple[int, int]
) -> list[Float[Tensor, "h w"]]:
    """Distance to the nearest unambiguous visible part minus that to the nearest ambiguous one.

    A map for each row of `ambiguous`.

    Pixels at unambiguous points come last and, of the others, pixels at ambiguous points
    first, so regions hold every ambiguous and no unambiguous part wherever the area
    allows it. `points` are x, y and visibility; distances are in pixels.
    """
    seen = points[:, 2] > 0
    points, ambiguous = points[seen, :2], ambiguous[:, seen]
    distances = _distances(points, size)
    rows, columns = pixel_rows(points, size), pixel_columns(points, size)
    maps = []
    for wanted in ambiguous:
        scores = _nearest(distances[~wanted], size) - _nearest(distances[wanted], size)
        scores[rows[wanted], columns[wanted]] = torch.inf
        scores[rows[~wanted], columns[~wanted]] = -torch.inf
        maps.append(scores)
    return maps


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


def _distances(
    points: Float[Tensor, "parts 2"], size: tuple[int, int]
) -> Float[Tensor, "parts h w"]:
    """Distance of each pixel's centre from each point."""
    height, width = size
    y = torch.arange(height, dtype=torch.float32)[:, None] + 0.5 - points[:, 1, None, None]
    x = torch.arange(width, dtype=torch.float32) + 0.5 - points[:, 0, None, None]
    return (y.square() + x.square()).sqrt()


def _nearest(distances: Float[Tensor, "parts h w"], size: tuple[int, int]) -> Float[Tensor, "h w"]:
    """The smallest of the distances; height and width together where there is none."""
    far = float(sum(size))
    return distances.amin(0).clamp(max=far) if len(distances) else torch.full(size, far)


def pixel_rows(points: Float[Tensor, "*n 2"], size: tuple[int, int]) -> Tensor:
    """Row of the pixel in which each point (x, y) lies; points outside go to the border."""
    return points[..., 1].nan_to_num().floor().long().clamp(0, size[0] - 1)


def pixel_columns(points: Float[Tensor, "*n 2"], size: tuple[int, int]) -> Tensor:
    """Column of the pixel in which each point (x, y) lies; points outside go to the border."""
    return points[..., 0].nan_to_num().floor().long().clamp(0, size[1] - 1)
