"""Maps over an image, brought to its size by operations that are the same everywhere.

The order of a map's pixels may hang on its values' last bit, so nothing here adds up in an
order, or by fused operations, that change with threads, batches or machines.
"""

import functools
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

BLOCK = 2**17
"""Values that are made at a time: what is larger the system hands out anew at every step."""


def resized_maps(
    maps: Float[Tensor, "*n h w"], size: tuple[int, int]
) -> Float[Tensor, "*n height width"]:
    """Maps at a size (height, width), bilinear; a cell's value stands at its centre.

    This is `interpolate(mode="bilinear", align_corners=False)` of torch, whose last bit depends
    on the number of threads and of maps. Equal neighbours have exactly their value between them,
    and along a side that has its size already nothing changes; elsewhere values must be finite.
    """
    height, width = size
    some = max(1, BLOCK // (height * width))
    if maps.dim() == 2 or len(maps) <= some:
        return _resized(_resized(maps, -1, width), -2, height)
    starts = range(0, len(maps), some)
    return torch.cat([resized_maps(maps[start : start + some], size) for start in starts])


def on_grid(maps: Float[Tensor, "*n i w"], extra_rows: int) -> Float[Tensor, "*n h w"]:
    """What of the maps lies over the picture: all but the extra rows below it.

    Those hold what belongs to no location, such as a class token.
    """
    return maps[..., : maps.shape[-2] - extra_rows, :] if extra_rows else maps


def _resized(maps: Float[Tensor, "*n h w"], axis: int, count: int) -> Tensor:
    """The maps with `count` places along one axis."""
    if maps.shape[axis] == count:
        return maps
    before, after, shares = _neighbours(maps.shape[axis], count, maps.dtype, maps.device)
    start = maps.index_select(axis, before)
    change = maps.index_select(axis, after).sub_(start)
    # Not `lerp` or `addcmul`: they fuse where a processor can, and where a chunk allows it.
    return change.mul_(shares if axis == -1 else shares[:, None]).add_(start)


class _Neighbours(NamedTuple):
    """The cells on both sides of each place, and how far it lies from the first to the second."""

    before: Int64[Tensor, " count"]
    after: Int64[Tensor, " count"]
    shares: Float[Tensor, " count"]


@functools.lru_cache(maxsize=64)
@torch.inference_mode(mode=False)
def _neighbours(cells: int, count: int, dtype: torch.dtype, device: torch.device) -> _Neighbours:
    """Of the centres of `count` places along `cells` cells; in integers until the last step.

    Kept, since small maps take less time than these.
    """
    step = 2 * count  # a cell is this many units long; the first cell's centre is at 0
    centres = torch.arange(1, step, 2, device=device).mul_(cells).sub_(count).clamp_(min=0)
    before = centres // step
    shares = (centres - before * step).to(dtype) / step
    return _Neighbours(before, (before + 1).clamp_(max=cells - 1), shares)
