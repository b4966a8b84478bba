"""Windows that slide over an image, and maps of what hiding each of them changes."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class Windows(NamedTuple):
    """Which rows and which columns the windows cover; each row's window with each column's."""

    rows: Bool[Tensor, "down h"]
    columns: Bool[Tensor, "along w"]

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.rows) * len(self.columns)

    def masks(self, numbers: Tensor) -> Bool[Tensor, "k 1 h w"]:
        """What the windows of these numbers cover, row after row of them."""
        down, along = numbers // len(self.columns), numbers % len(self.columns)
        return (self.rows[down][:, :, None] & self.columns[along][:, None])[:, None]


def sliding_windows(size: tuple[int, int], side: int, stride: int) -> Windows:
    """Squares from the upper left corner on, `stride` apart, until the whole is covered.

    Where the stride does not fit, the last ones reach over the border and are cut off there.
    """
    return Windows(*(_covered(length, side, stride) for length in size))


def _covered(length: int, side: int, stride: int) -> Bool[Tensor, "windows length"]:
    starts = torch.arange(-(-max(0, length - side) // stride) + 1)[:, None] * stride
    places = torch.arange(length)
    return (places >= starts) & (places < starts + side)


def mean_over_windows(changes: Float[Tensor, " number"], windows: Windows) -> Float[Tensor, "h w"]:
    """At each pixel the mean change of the windows that cover it; each pixel must be covered."""
    rows, columns = windows.rows.double(), windows.columns.double()
    totals = rows.T @ changes.double().view(len(rows), len(columns)) @ columns
    return totals / (rows.sum(0)[:, None] * columns.sum(0))
