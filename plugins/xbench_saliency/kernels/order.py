"""Orders of a map's pixels, most relevant first, in steps of equal area."""

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
) -> Int16[Tensor, "draws h w"]:
    """The step, from 1 to `steps`, in which each pixel goes: the most relevant go first.

    The map is averaged over blocks of `block` × `block` pixels, and all pixels of a block go in
    one step: that in which the middle of its area falls. So steps have equal areas up to one
    block. Blocks of equal value go in the order of `orders`; values must be finite.
    """
    height, width = saliency.shape
    means, areas = block_means(saliency, block).flatten(), block_areas((height, width), block)
    order = _falling(means, orders)  # one row where no values are equal
    in_order = 1 + _doubled_middles(areas, order) * steps // (2 * height * width)
    of_blocks = torch.empty_like(order).scatter_(1, order, in_order.expand_as(order))
    squares = of_blocks.to(torch.int16).view(len(order), *areas.shape)
    if block > 1:
        squares = squares.repeat_interleave(block, 1).repeat_interleave(block, 2)
    return squares[:, :height, :width].expand(len(orders), -1, -1)


def _doubled_middles(
    areas: Int64[Tensor, "rows columns"], order: Int64[Tensor, "kept cells"]
) -> Int64[Tensor, "#kept cells"]:
    """Twice the area that lies before the middle of each block, in order."""
    first = int(areas[0, 0])
    if (areas == first).all():
        return (first * (2 * torch.arange(areas.numel()) + 1))[None]
    in_order = areas.flatten()[order]
    return 2 * in_order.cumsum(1) - in_order


def _falling(
    values: Float[Tensor, " cells"], orders: Int64[Tensor, "draws cells"]
) -> Int64[Tensor, "kept cells"]:
    """The places of the values, the largest first; those of equal ones in each of the orders.

    One sort serves all orders, and only places of equal values are sorted again. Where no values
    are equal, one row stands for all orders.
    """
    in_order, places = values.sort(descending=True)
    rises = torch.zeros_like(places)
    rises[1:] = in_order[1:] != in_order[:-1]
    groups = rises.cumsum(0)
    if groups[-1] == len(places) - 1:
        return places[None]
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
