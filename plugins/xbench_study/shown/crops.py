"""Pieces of images: connected parts of a region, their box, and other places for them."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Int64
from scipy.ndimage import label
from torch import Tensor
from torch.nn.functional import conv2d


class Box(NamedTuple):
    """Rows and columns of an image; ends are not in it."""

    top: int
    bottom: int
    left: int
    right: int


def largest_part(region: Bool[Tensor, "h w"]) -> Bool[Tensor, "h w"]:
    """The part of a region with most pixels; parts touch by sides, the first of equals is taken."""
    parts, count = label(region.cpu().numpy())
    if not count:
        return torch.zeros_like(region)
    numbers = torch.from_numpy(parts).long()
    sizes = numbers.flatten().bincount()[1:]
    return numbers == 1 + int(sizes.argmax())


def box_of(region: Bool[Tensor, "h w"]) -> Box:
    """The smallest box around a region, which has at least one pixel."""
    rows, columns = (region.any(dim).nonzero()[:, 0].tolist() for dim in (1, 0))
    return Box(rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)


def within(region: Bool[Tensor, "h w"], box: Box) -> Bool[Tensor, "a b"]:
    """What of a region lies in a box."""
    return region[box.top : box.bottom, box.left : box.right]


def shared_pixels(
    region: Bool[Tensor, "h w"], piece: Bool[Tensor, "a b"]
) -> Int64[Tensor, "rows columns"]:
    """How many pixels of a region a piece covers, at each place where it lies in the image.

    Row and column are those of the piece's first pixel: h − a + 1 and w − b + 1 of them.
    """
    image, kernel = (of.double()[None, None] for of in (region, piece))
    return conv2d(image, kernel)[0, 0].round().long()
