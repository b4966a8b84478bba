"""Regions of an exact area: a total order of an image's pixels, from which masks follow."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor


def tie_order(pixels: int, device: torch.device | None = None) -> Int64[Tensor, " pixels"]:
    """A fixed order of pixels, spread evenly over the image, that decides between equals.

    The index is multiplied by an odd constant modulo 2³² and its halves are mixed, which
    is one-to-one, so no two pixels share a place and neither top nor left is favoured.
    """
    index = torch.arange(pixels, dtype=torch.int64, device=device)
    for factor in (0x9E3779B1, 0x85EBCA6B):
        index = (index * factor) & 0xFFFFFFFF
        index = index ^ (index >> 16)
    return index


def pixel_keys(maps: Float[Tensor, "q h w"]) -> Int64[Tensor, "q pixels"]:
    """Distinct integers that order a map's pixels: the larger, the earlier it joins a region.

    The value (as float32) decides, then `tie_order`. NaN is not allowed.
    """
    values = maps.float().flatten(1) + 0.0  # −0 becomes 0
    bits = values.contiguous().view(torch.int32).long()
    ordered = torch.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    return ordered * 2**32 + tie_order(values.shape[1], values.device)


def region_sizes(coverages: Sequence[float], pixels: int) -> Int64[Tensor, " coverages"]:
    """How many pixels cover these shares of an image, rounded to the nearest (halves to even)."""
    return torch.tensor([round(coverage * pixels) for coverage in coverages], dtype=torch.int64)


def region(maps: Float[Tensor, "q h w"], coverage: float) -> Bool[Tensor, "q h w"]:
    """Masks of the strongest pixels whose area is exactly `coverage` of the image."""
    keys = pixel_keys(maps)
    count = int(region_sizes([coverage], keys.shape[1])[0])
    chosen = keys.topk(count, dim=1, sorted=False).indices
    return torch.zeros_like(keys, dtype=torch.bool).scatter_(1, chosen, True).view(maps.shape)


def pixel_ranks(maps: Float[Tensor, "q h w"]) -> Int64[Tensor, "q pixels"]:
    """Each pixel's place in its map's order, 0 for the strongest: one sort per map."""
    order = pixel_keys(maps).argsort(dim=1, descending=True)
    places = torch.arange(order.shape[1], device=order.device).expand_as(order)
    return torch.empty_like(order).scatter_(1, order, places)


def ranks_at(
    maps: Float[Tensor, "q h w"], pixels: Int64[Tensor, "q points"]
) -> Int64[Tensor, "q points"]:
    """`pixel_ranks` at some pixels of each map, by counting the pixels before them.

    A count over one row of contiguous values is several times faster than a sort, or than
    one comparison of all rows with all points.
    """
    values = maps.float().flatten(1).cpu().numpy()
    ties = tie_order(values.shape[1]).numpy()
    places = pixels.tolist()
    ranks = [
        [_before(row, ties, place) for place in of_map]
        for row, of_map in zip(values, places, strict=True)
    ]
    return torch.tensor(ranks, dtype=torch.int64).reshape(pixels.shape)


def _before(
    values: Float32[np.ndarray, " pixels"], ties: Int64[np.ndarray, " pixels"], place: int
) -> int:
    """How many pixels come before the one at `place`."""
    own = values[place]
    equal = values == own
    larger = int(np.count_nonzero(values > own))
    if np.count_nonzero(equal) == 1:
        return larger
    return larger + int(np.count_nonzero(ties[equal] > ties[place]))
