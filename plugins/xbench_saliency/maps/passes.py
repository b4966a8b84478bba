"""Passes: how many images go through a network together."""

from collections.abc import Iterator

import torch
from jaxtyping import Int64
from torch import Tensor

PIXELS = 2**18
"""In one pass, where nothing else is asked for: 5 images of 224 × 224 pixels, 28 of 96 × 96.

Fixed, so that memory hangs neither on the number of images nor on that of samples."""


def check_per_pass(per_pass: int) -> None:
    """Raise `ValueError` for a number of images that none can be."""
    if per_pass < 0:
        raise ValueError(
            f"per_pass must be a number of images, or 0 for a fixed number of pixels: {per_pass}"
        )


def passes(count: int, size: tuple[int, int], per_pass: int) -> Iterator[Int64[Tensor, " some"]]:
    """Which of `count` images go together: as even as can be, each at most `per_pass`.

    0 stands for as many of this size as `PIXELS` hold, and at least one.
    """
    most = per_pass or max(1, PIXELS // (size[0] * size[1]))
    places = torch.arange(count)
    yield from places.tensor_split(-(-count // most)) if count else ()
