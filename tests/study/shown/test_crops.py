"""Pieces of images, against loops."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench_study.shown.crops import box_of, largest_part, shared_pixels, within

REGIONS = st.lists(st.booleans(), min_size=30, max_size=30).map(
    lambda cells: torch.tensor(cells).view(5, 6)
)


def slow_parts(region):
    """Sets of pixels that touch by sides, from the first pixel on."""
    left = {tuple(pixel) for pixel in region.nonzero().tolist()}
    parts = []
    while left:
        part, border = set(), [min(left)]
        while border:
            row, column = border.pop()
            if (row, column) in left:
                left.remove((row, column))
                part.add((row, column))
                border += [(row + 1, column), (row - 1, column)]
                border += [(row, column + 1), (row, column - 1)]
        parts.append(part)
    return parts


@given(REGIONS)
def test_the_largest_part_is_that_of_a_loop(region):
    parts = slow_parts(region)
    expected = max(parts, key=len) if parts else set()  # the first of equals
    assert {tuple(pixel) for pixel in largest_part(region).nonzero().tolist()} == expected


@given(REGIONS, REGIONS)
def test_shared_pixels_are_those_of_a_loop(region, other):
    if not other.any():
        other[2, 3] = True
    piece = within(other, box_of(other))
    assert piece[0].any() and piece[-1].any() and piece[:, 0].any() and piece[:, -1].any()  # noqa: PT018 one box
    assert piece.sum() == other.sum()
    shared = shared_pixels(region, piece)
    height, width = piece.shape
    assert shared.shape == (6 - height, 7 - width)
    for row in range(shared.shape[0]):
        for column in range(shared.shape[1]):
            under = region[row : row + height, column : column + width]
            assert shared[row, column] == (under & piece).sum()


@pytest.mark.parametrize("side", [1, 5])
def test_a_region_of_a_pixel_and_of_the_whole_image_have_boxes(side):
    region = torch.zeros(5, 5, dtype=torch.bool)
    region[:side, :side] = True
    assert box_of(region) == (0, side, 0, side)
    assert shared_pixels(region, within(region, box_of(region)))[0, 0] == side * side
