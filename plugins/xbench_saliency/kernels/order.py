"""Orders of a map's pixels, most relevant first, in steps of equal area."""

from functools import cache

import numpy as np
import torch
from jaxtyping import Float, Int16, Int64
from torch import Generator, Tensor
from torch.nn import functional


def random_orders(
    count: int, size: tuple[int, int], block: int, source: Generator
) -> Int64[Tensor, "count cells"]:
    """Orders of the blocks of an image of this size (height, width), drawn one after the other."""
    rows, columns = (-(-side // block) for side in size)
    drawn = [torch.randperm(rows * columns, generator=source) for _ in range(count)]
    return torch.stack(drawn)


def removal_steps(
    saliency: Float[Tensor, "h w"], orders: Int64[Tensor, "draws cells"], steps: int, block: int
) -> Int16[Tensor, "kept h w"]:
    """The step, from 1 to `steps`, in which each pixel goes: the most relevant go first.

    The map is averaged over blocks of `block` × `block` pixels, and all pixels of a block go in
    one step: that in which the middle of its area falls. So steps have equal areas up to one
    block. Blocks of equal value go in the order of `orders`, and values must be finite; where that
    changes no block's step, one row stands for all orders.
    """
    height, width = saliency.shape
    means = block_means(saliency, block)
    if height % block or width % block:
        order = _falling(means.flatten(), orders)
        areas = block_areas((height, width), block).flatten()[order]
        in_order = _steps_in_order(areas, steps)
    else:
        in_order = _steps_of_equal(means.numel(), steps)
        order = _falling(means.flatten(), orders, in_order[0])
    of_blocks = in_order.new_empty(order.shape).scatter_(1, order, in_order.expand_as(order))
    squares = of_blocks.view(len(order), *means.shape)
    if block > 1:
        squares = squares.repeat_interleave(block, 1).repeat_interleave(block, 2)
    return squares[:, :height, :width]


def _steps_in_order(areas: Int64[Tensor, "kept cells"], steps: int) -> Int16[Tensor, "kept cells"]:
    """The step in which the middle of each block's area falls, for areas in order."""
    doubled_middles = 2 * areas.cumsum(1) - areas
    return (1 + doubled_middles * steps // (2 * areas.sum(1, keepdim=True))).to(torch.int16)


@cache
def _steps_of_equal(cells: int, steps: int) -> Int16[Tensor, "1 cells"]:
    """The steps of blocks of equal area, which are kept: images of a run have one size."""
    return _steps_in_order(torch.ones(1, cells, dtype=torch.int64), steps)


def _falling(
    values: Float[Tensor, " cells"],
    orders: Int64[Tensor, "draws cells"],
    in_order: Int16[Tensor, " cells"] | None = None,
) -> Int64[Tensor, "kept cells"]:
    """The places of the values, the largest first; those of equal ones in each of the orders.

    One sort serves all orders, and only places of equal values are sorted again. Where no values
    are equal, or all that are equal go in one step (`in_order`), one row stands for all orders.
    """
    places = torch.from_numpy(np.argsort(-values.numpy()))  # several times as fast as torch's
    sorted_ = values[places]
    same = sorted_[1:] == sorted_[:-1]
    if not (same if in_order is None else same & (in_order[1:] != in_order[:-1])).any():
        return places[None]
    groups = functional.pad(~same, (1, 0)).cumsum(0)
    tied, order = (groups.bincount() > 1)[groups], places.repeat(len(orders), 1)
    ranks = torch.empty_like(orders).scatter_(
        1, orders, torch.arange(len(places)).expand_as(orders)
    )
    keys = groups[tied] * len(places) + ranks[:, places[tied]]
    order[:, tied] = places[tied][keys.argsort(dim=1)]
    return order


def block_means(saliency: Float[Tensor, "h w"], block: int) -> Float[Tensor, "rows columns"]:
    """Means over square blocks, in double precision; those at the lower right may be smaller.

    Sums of equal single-precision values are exact there, so equal blocks stay equal. Single
    pixels stay as they are.
    """
    if block == 1:
        return saliency
    exact = saliency.double()[None]
    return functional.avg_pool2d(exact, block, ceil_mode=True, count_include_pad=False)[0]


def block_areas(size: tuple[int, int], block: int) -> Int64[Tensor, "rows columns"]:
    """How many pixels each block has."""
    rows, columns = (
        torch.tensor([min(block, side - start) for start in range(0, side, block)]) for side in size
    )
    return rows[:, None] * columns
