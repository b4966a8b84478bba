"""Augmentation kernels equal plain loops."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from xbench.kernels.augmentation import crop_boxes, resized_crops, shifted


def images(count, height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, height, width), generator=generator).to(torch.uint8)


def slowly_shifted(image, flip, down, right):
    _, height, width = image.shape
    made = torch.zeros_like(image)
    for y in range(height):
        for x in range(width):
            row = min(max(y - down, 0), height - 1)
            column = min(max(x - right, 0), width - 1)
            if flip:
                column = width - 1 - column
            made[:, y, x] = image[:, row, column]
    return made


@settings(max_examples=30, deadline=None)
@given(
    height=st.integers(1, 6),
    width=st.integers(1, 6),
    moves=st.lists(st.tuples(st.booleans(), st.integers(-8, 8), st.integers(-8, 8)), max_size=4),
)
def test_shifted_equals_the_slow_loop(height, width, moves):
    batch = images(len(moves), height, width)
    flips = torch.tensor([move[0] for move in moves], dtype=torch.bool)
    shifts = torch.tensor([move[1:] for move in moves], dtype=torch.int64).reshape(-1, 2)
    made = shifted(batch, flips, shifts)
    assert made.dtype == torch.uint8
    assert made.shape == batch.shape
    for place, move in enumerate(moves):
        assert torch.equal(made[place], slowly_shifted(batch[place], *move))


def test_no_shift_changes_nothing():
    batch = images(2, 5, 4)
    still = torch.zeros(2, dtype=torch.bool), torch.zeros(2, 2, dtype=torch.int64)
    assert torch.equal(shifted(batch, *still), batch)


def slowly_cropped(image, box):
    """Bilinear, in double precision, sampled at the centres of the enlarged pixels."""
    _, height, width = image.shape
    top, left, tall, wide = (float(value) for value in box)
    made = torch.zeros(image.shape, dtype=torch.float64)
    for y in range(height):
        for x in range(width):
            row = min(max((top + tall * (y + 0.5) / height) * height - 0.5, 0), height - 1)
            column = min(max((left + wide * (x + 0.5) / width) * width - 0.5, 0), width - 1)
            above, before = math.floor(row), math.floor(column)
            below, behind = min(above + 1, height - 1), min(before + 1, width - 1)
            down, right = row - above, column - before
            upper = (1 - right) * image[:, above, before] + right * image[:, above, behind]
            lower = (1 - right) * image[:, below, before] + right * image[:, below, behind]
            made[:, y, x] = (1 - down) * upper + down * lower
    return made


@settings(max_examples=20, deadline=None)
@given(draws=st.lists(st.floats(0, 1, width=32), min_size=4, max_size=4))
def test_resized_crops_equal_the_slow_loop(draws):
    batch = images(1, 6, 5).double()
    boxes = crop_boxes(torch.tensor([draws], dtype=torch.float64), (0.2, 1.0), (0.75, 4 / 3))
    made = resized_crops(batch, boxes)
    assert torch.allclose(made[0], slowly_cropped(batch[0], boxes[0]), atol=1e-9)


def test_the_whole_image_as_its_own_crop_changes_nothing():
    batch = images(2, 6, 6).double()
    whole = torch.tensor([[0.0, 0.0, 1.0, 1.0]], dtype=torch.float64).expand(2, 4)
    assert torch.allclose(resized_crops(batch, whole), batch, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(
    draws=st.lists(st.floats(0, 1), min_size=4, max_size=4),
    low=st.floats(0.05, 1),
    ratio=st.floats(1, 3),
)
def test_boxes_lie_in_the_image_and_are_no_larger_than_asked(draws, low, ratio):
    drawn = torch.tensor([draws], dtype=torch.float64)
    top, left, height, width = crop_boxes(drawn, (low, 1.0), (1 / ratio, ratio))[0].tolist()
    assert top >= 0
    assert left >= 0
    assert top + height <= 1 + 1e-9
    assert left + width <= 1 + 1e-9
    area = low + (1 - low) * draws[0]
    assert height * width <= area + 1e-9
    if height < 1 and width < 1:
        assert height * width == pytest.approx(area)
        assert 1 / ratio - 1e-9 <= width / height <= ratio + 1e-9
