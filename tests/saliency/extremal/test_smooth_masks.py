"""Smooth masks: against double loops, and what a smooth maximum is."""

import math

import pytest
import torch

from xbench import generator
from xbench_saliency.kernels.smooth_masks import (
    NEGLIGIBLE,
    TEMPERATURE,
    neighbourhood,
    smooth_masks,
)


def slow_weight(distance, sigma):
    weight = math.exp(-(max(0.0, distance / sigma - 1) ** 2) / 4)
    return weight if weight >= NEGLIGIBLE else 0.0


def slow_masks(cells, sigma, reach):
    """Of one mask, in double precision, cell by cell."""
    height, width = cells.shape
    masks = torch.zeros(height, width, dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            above = below = 0.0
            for di in range(-reach, reach + 1):
                for dj in range(-reach, reach + 1):
                    k, m = i + di, j + dj
                    inside = 0 <= k < height and 0 <= m < width
                    value = float(cells[k, m]) if inside else 0.0
                    value *= slow_weight(math.hypot(di, dj), sigma)
                    share = math.exp(value / TEMPERATURE)
                    above, below = above + share * value, below + share
            masks[i, j] = above / below
    return masks


@pytest.mark.parametrize("sigma", [0.2, 0.7, 1.0, 1.7])
def test_masks_are_those_of_loops_over_the_neighbourhood(sigma):
    cells = torch.rand(2, 7, 9, generator=generator("cells"))
    weights = neighbourhood(sigma)
    masks = smooth_masks(cells, weights)
    for mask, one in zip(masks, cells, strict=True):
        expected = slow_masks(one, sigma, weights.shape[0] // 2)
        torch.testing.assert_close(mask.double(), expected, rtol=1e-5, atol=1e-6)


def test_a_neighbourhood_is_flat_near_its_middle_and_has_no_negligible_weights():
    weights = neighbourhood(2.0)
    middle = weights.shape[0] // 2
    assert (weights[middle, middle - 2 : middle + 3] == 1).all()
    assert torch.equal(weights, weights.T)
    assert torch.equal(weights, weights.flip(0))
    assert ((weights == 0) | (weights >= NEGLIGIBLE)).all()
    assert weights[middle].min() > 0  # the window is no larger than it need be


def test_cells_smaller_than_their_distance_are_their_own_neighbourhood():
    assert neighbourhood(0.01).tolist() == [[1.0]]
    cells = torch.rand(1, 3, 3, generator=generator("cells"))
    torch.testing.assert_close(smooth_masks(cells, neighbourhood(0.01)), cells)


def test_masks_lie_between_nothing_and_the_largest_cell_and_grow_around_a_single_one():
    cells = torch.zeros(1, 15, 15)
    assert torch.equal(smooth_masks(cells, neighbourhood(1.5)), cells)
    cells[0, 7, 7] = 1
    mask = smooth_masks(cells, neighbourhood(1.5))[0]
    assert 0.999 < mask[7, 7] <= 1
    assert mask[7, 8] > 0.999
    line = mask[7, 8:]
    assert (line.diff() <= 0).all()
    assert mask[0, 0] == 0


def test_gradients_are_those_of_differences():
    cells = torch.rand(1, 4, 5, dtype=torch.float64, generator=generator("cells"))
    weights = neighbourhood(0.8).double()
    assert torch.autograd.gradcheck(lambda c: smooth_masks(c, weights), cells.requires_grad_())
