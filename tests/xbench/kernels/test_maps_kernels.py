"""Resized maps equal plain loops, and do not depend on the number of threads."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from threads import threads
from xbench.kernels.maps import resized_maps

SIDES = st.integers(1, 13)


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64) - 0.5


def slowly_resized(map_, size):
    """Bilinear between the centres of cells; beyond the outermost centres as they are."""
    height, width = map_.shape
    made = torch.zeros(size, dtype=torch.float64)
    for row in range(size[0]):
        for column in range(size[1]):
            y = min(max((row + 0.5) * height / size[0] - 0.5, 0), height - 1)
            x = min(max((column + 0.5) * width / size[1] - 0.5, 0), width - 1)
            for i in (math.floor(y), math.ceil(y)):
                for j in (math.floor(x), math.ceil(x)):
                    share_y = 1 - abs(y - i) if math.floor(y) != math.ceil(y) else 0.5
                    share_x = 1 - abs(x - j) if math.floor(x) != math.ceil(x) else 0.5
                    made[row, column] += share_y * share_x * float(map_[i, j])
    return made


@given(SIDES, SIDES, SIDES, SIDES)
def test_resized_maps_equal_the_slow_loop_and_those_of_torch(height, width, tall, wide):
    maps = random(2, height, width)
    made = resized_maps(maps, (tall, wide))
    for of_map, map_ in zip(made, maps, strict=True):
        torch.testing.assert_close(of_map, slowly_resized(map_, (tall, wide)))
    of_torch = functional.interpolate(maps[None], (tall, wide), mode="bilinear")[0]
    # which finds the places of centres in single precision, whatever the maps have
    torch.testing.assert_close(made, of_torch, rtol=0, atol=1e-5)


@given(SIDES, SIDES, SIDES, SIDES)
def test_single_precision_gives_single_precision(height, width, tall, wide):
    maps = random(2, height, width).float()
    made = resized_maps(maps, (tall, wide))
    assert made.dtype == torch.float32
    torch.testing.assert_close(made.double(), resized_maps(maps.double(), (tall, wide)))


@pytest.mark.parametrize("shape", [(4, 5), (0, 4, 5), (3, 4, 5), (2, 3, 4, 5)])
def test_what_stands_before_a_map_stays(shape):
    maps = random(*shape)
    made = resized_maps(maps, (7, 3))
    assert made.shape == (*shape[:-2], 7, 3)
    if shape == (2, 3, 4, 5):
        assert torch.equal(made[1, 2], resized_maps(maps[1, 2], (7, 3)))


@given(SIDES, SIDES, SIDES, SIDES, st.floats(-1e6, 1e6, width=32))
def test_a_flat_map_stays_flat_exactly(height, width, tall, wide, value):
    made = resized_maps(torch.full((1, height, width), value), (tall, wide))
    assert torch.equal(made, torch.full((1, tall, wide), value))


def test_maps_that_have_the_size_may_be_infinite():
    maps = torch.tensor([[[torch.inf, 0.0], [1.0, -torch.inf]]])
    assert torch.equal(resized_maps(maps, (2, 2)), maps)


@pytest.mark.parametrize("size", [(96, 96), (131, 97), (300, 250)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_resized_maps_depend_neither_on_threads_nor_on_other_maps(size, dtype):
    for count in range(1, 11):
        maps = random(count, 7, 12, seed=count).to(dtype)
        made = [torch.stack([resized_maps(map_, size) for map_ in maps])]
        for number in (1, 2, 3, 4):
            with threads(number):
                made.append(resized_maps(maps, size))
        assert all(torch.equal(made[0], other) for other in made[1:])


def test_maps_made_while_nothing_is_recorded_do_not_keep_others_from_a_gradient():
    with torch.inference_mode():
        resized_maps(torch.zeros(1, 3, 4), (9, 11))
    maps = random(1, 3, 4).requires_grad_()
    resized_maps(maps, (9, 11)).sum().backward()
    assert float(maps.grad.sum()) == pytest.approx(99)
