"""Arrangements: how the values at a layer lie over the picture, and as what maps they travel."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from xbench.errors import CutError
from xbench.networks.locations import in_common, is_grid, numbered, width_of

_SPELLING = re.compile(r"(maps|channels-last|tokens)(?:\+(\d+))?(?: (\d+)x(\d+))?")
_SPELLINGS = "'maps', 'channels-last' or 'tokens', as in 'tokens+1 14x14' for one before 14 × 14"


class Arrangement(NamedTuple):
    """How the values of one image lie at a layer.

    `maps` are (d, h, w), `channels-last` (h, w, d), and `tokens` (prefix + h·w, d): those that
    belong to no location, and then the locations row by row.
    """

    kind: str
    grid: tuple[int, int]
    prefix: int = 0

    def __str__(self) -> str:
        """As a classifier declares it."""
        prefix = f"+{self.prefix}" if self.prefix else ""
        return f"{self.kind}{prefix} {self.grid[0]}x{self.grid[1]}"

    @property
    def is_spatial(self) -> bool:
        """Whether it has rows and columns."""
        return min(self.grid) > 1

    @property
    def extra_rows(self) -> int:
        """How many rows of the maps the prefix takes."""
        return -(-self.prefix // self.grid[1])


def arrangement_of(places: Int64[Tensor, "1 ..."]) -> Arrangement | None:
    """The arrangement of values that belong to these locations; None where it is none."""
    if len(places) != 1 or places.dim() not in (3, 4):
        return None
    if places.dim() == 3:
        return _of_tokens(in_common(places[0], 1))
    for kind, axis in (("maps", 0), ("channels-last", 2)):
        cells = in_common(places[0], axis)
        if is_grid(cells):
            return Arrangement(kind, (cells.shape[0], cells.shape[1]))
    return None


def _of_tokens(places: Int64[Tensor, " N"]) -> Arrangement | None:
    prefix = int((places > 0).cumsum(0).eq(0).sum())
    patches = numbered(places[prefix:])
    width = width_of(patches)
    if not width or len(patches) % width or not is_grid(patches.view(-1, width)):
        return None
    return Arrangement("tokens", (len(patches) // width, width), prefix)


def declared_arrangement(
    declared: str, shape: tuple[int, ...], grids: Iterable[tuple[int, int]] = ()
) -> Arrangement:
    """The arrangement that is declared of values of a shape; `CutError` where it is none of them.

    The grid of tokens is declared as well, or it is the only one of `grids` that they fill.
    """
    spelled = _SPELLING.fullmatch(declared)
    if spelled is None or (spelled[2] and spelled[1] != "tokens"):
        raise CutError(f"classifier.arrangement is {declared!r}; write {_SPELLINGS}")
    kind, prefix = spelled[1], int(spelled[2] or 0)
    grid = (int(spelled[3]), int(spelled[4])) if spelled[3] else None
    if kind == "tokens" and len(shape) == 2:
        count = shape[0] - prefix
        fitting = {one for one in grids if one[0] * one[1] == count}
        if grid is None and len(fitting) != 1:
            message = f"classifier.arrangement is {declared!r}, which leaves open what grid the "
            message += f"{count} tokens form; write it out, as in {declared + ' 14x14'!r}"
            raise CutError(message)
        grid = grid or fitting.pop()
        if grid[0] * grid[1] == count:
            return Arrangement(kind, grid, prefix)
    elif kind != "tokens" and len(shape) == 3:
        own = (shape[1], shape[2]) if kind == "maps" else (shape[0], shape[1])
        if grid in (None, own):
            return Arrangement(kind, own)
    values = "×".join(map(str, shape))
    raise CutError(f"the layer's values, {values} for an image, are not {declared!r}")


def to_maps(values: Float[Tensor, "n ..."], arrangement: Arrangement) -> Float[Tensor, "n d i j"]:
    """The values as maps; a prefix becomes rows below the grid, filled up with zeros."""
    if arrangement.kind == "maps":
        return values
    if arrangement.kind == "channels-last":
        return values.permute(0, 3, 1, 2)
    prefix, (height, width) = arrangement.prefix, arrangement.grid
    if prefix:
        values = torch.cat([values[:, prefix:], values[:, :prefix]], 1)
        values = functional.pad(values, (0, 0, 0, arrangement.extra_rows * width - prefix))
    size = (height + arrangement.extra_rows, width)
    return values.transpose(1, 2).unflatten(2, size)  # type: ignore[no-untyped-call]


def from_maps(maps: Float[Tensor, "n d i j"], arrangement: Arrangement) -> Float[Tensor, "n ..."]:
    """The values that `to_maps` made maps of."""
    if arrangement.kind == "maps":
        return maps
    if arrangement.kind == "channels-last":
        return maps.permute(0, 2, 3, 1)
    values = maps.flatten(2).transpose(1, 2)
    if not arrangement.prefix:
        return values
    count = arrangement.grid[0] * arrangement.grid[1]
    return torch.cat([values[:, count : count + arrangement.prefix], values[:, :count]], 1)
