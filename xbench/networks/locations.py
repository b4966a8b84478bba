"""Locations of the picture, kept as integers beside the numbers that belong to them.

0 is no one location; 1 + row · 2¹⁶ + column is the cell of a grid. What computes one number of
several keeps their location if they have one, or makes one cell of a block of cells.
"""

from typing import NamedTuple

import torch
from jaxtyping import Int64
from torch import Tensor

Locations = Int64[Tensor, "..."]
NOWHERE = 0
_ROW = 2**16


def of_grid(height: int, width: int) -> Int64[Tensor, "h w"]:
    """The locations of a grid, row by row."""
    return 1 + _ROW * torch.arange(height)[:, None] + torch.arange(width)


def alike(places: Locations, axis: int) -> Locations:
    """The location that all along an axis have, those with none left out; else `NOWHERE`."""
    lowest, highest = _range(places.movedim(axis, -1))
    return highest.where(lowest == highest, torch.zeros_like(highest))


def in_common(places: Locations, axis: int) -> Locations:
    """As `alike`; or, where all along the axis make up a coarser grid, the locations of that."""
    lines = places.movedim(axis, -1)
    lowest, highest = _range(lines)
    if bool((lowest == highest).all()):
        return highest
    rows = _range(lines.sub(1).div(_ROW, rounding_mode="floor").add(1) * (lines > 0))
    columns = _range((lines.sub(1) % _ROW).add(1) * (lines > 0))
    placed = highest > 0
    down, across = _bands(rows, placed), _bands(columns, placed)
    count = int(placed.sum())
    if down is None or across is None or down.number * across.number != count:
        return torch.zeros_like(highest)
    coarser = _numbered(down, across, placed)
    return coarser if len(torch.unique(coarser[placed])) == count else torch.zeros_like(highest)


def numbered(places: Locations) -> Locations:
    """The locations with their rows and columns counted anew, where they fill a grid."""
    placed = places > 0
    rows, columns = (places - 1) // _ROW, (places - 1) % _ROW
    down = _Bands(*_counted(rows, placed))
    across = _Bands(*_counted(columns, placed))
    filled = down.number * across.number == len(torch.unique(places[placed]))
    return _numbered(down, across, placed) if filled else places


def width_of(places: Locations) -> int:
    """How many columns the locations lie in."""
    return len(torch.unique((places - 1) % _ROW))


def agreed(one: Locations, other: Locations) -> Locations:
    """The location of numbers that are made of two at the same place of tensors of one shape."""
    if one is other or torch.equal(one, other):
        return one
    one, other = numbered(one), numbered(other)
    either = one.where(other == NOWHERE, other)
    return either.where((one == other) | (one == NOWHERE) | (other == NOWHERE), torch.tensor(0))


def is_grid(places: Int64[Tensor, "h w"]) -> bool:
    """Whether the locations are those of one grid, each at its place."""
    return torch.equal(numbered(places), of_grid(*places.shape))


def is_plane(places: Int64[Tensor, "h w"]) -> bool:
    """Whether they are those of one grid within a border without locations."""
    placed = places > 0
    return is_grid(places[placed.any(1)][:, placed.any(0)]) if bool(placed.any()) else False


class _Range(NamedTuple):
    """The lowest and the highest along the last axis, of what is not 0."""

    lowest: Tensor
    highest: Tensor


class _Bands(NamedTuple):
    """For each number which band it lies in, and how many bands there are."""

    of_each: Tensor
    number: int


def _range(lines: Tensor) -> _Range:
    highest = lines.amax(-1)
    return _Range(lines.where(lines > 0, highest[..., None]).amin(-1), highest)


def _counted(values: Tensor, placed: Tensor) -> tuple[Tensor, int]:
    """Each value's place among the different ones, and how many these are."""
    different, place = torch.unique(values[placed], return_inverse=True)
    return torch.zeros_like(values).masked_scatter(placed, place), len(different)


def _bands(ranges: _Range, placed: Tensor) -> _Bands | None:
    """The ranges as bands one after the other; None where some overlap."""
    starts, place = torch.unique(ranges.lowest[placed], return_inverse=True)
    ends = torch.zeros_like(starts).scatter_reduce(0, place, ranges.highest[placed], "amax")
    if not bool((ends[:-1] < starts[1:]).all()):
        return None
    index = torch.zeros_like(ranges.lowest).masked_scatter(placed, place)
    return _Bands(index, len(starts))


def _numbered(down: _Bands, across: _Bands, placed: Tensor) -> Locations:
    return (1 + _ROW * down.of_each + across.of_each) * placed
