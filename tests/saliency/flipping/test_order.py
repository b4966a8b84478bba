"""Orders of pixels: against a loop, ties, blocks, areas, and what changes nothing."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench import generator
from xbench_saliency.kernels.order import (
    block_areas,
    block_means,
    random_orders,
    removal_steps,
)


def orders_of(size, block=1, draws=3, seed=0):
    return random_orders(draws, size, block, generator("orders", seed))


def slow_steps(saliency, order, steps, block):
    """Each pixel's step: blocks sorted in Python, and areas added up one by one."""
    height, width = saliency.shape
    corners = list(itertools.product(range(0, height, block), range(0, width, block)))
    blocks = [
        [(i, j) for i in range(y, min(y + block, height)) for j in range(x, min(x + block, width))]
        for y, x in corners
    ]
    means = [sum(float(saliency[i, j]) for i, j in cells) / len(cells) for cells in blocks]
    rank = {cell: place for place, cell in enumerate(order.tolist())}
    falling = sorted(range(len(blocks)), key=lambda cell: (-means[cell], rank[cell]))
    found, gone = torch.zeros(height, width, dtype=torch.int16), 0
    for cell in falling:
        middle = gone + len(blocks[cell]) / 2
        for i, j in blocks[cell]:
            found[i, j] = 1 + int(middle * steps / (height * width))
        gone += len(blocks[cell])
    return found


@pytest.mark.parametrize("block", [1, 2, 3, 5])
@pytest.mark.parametrize("steps", [2, 4, 7])
def test_it_is_a_loop_over_sorted_blocks(block, steps):
    saliency = torch.randn(8, 11, generator=generator("map")).round(decimals=1)
    orders = orders_of(saliency.shape, block)
    found = removal_steps(saliency, orders, steps, block).expand(len(orders), -1, -1)
    for draw, order in enumerate(orders):
        assert torch.equal(found[draw], slow_steps(saliency, order, steps, block))


@given(st.integers(2, 40), st.integers(1, 30), st.integers(1, 30), st.integers(1, 6))
def test_steps_have_equal_areas_up_to_one_block(steps, height, width, block):
    saliency = torch.rand(height, width, generator=generator("area"))
    found = removal_steps(saliency, orders_of((height, width), block), steps, block)
    areas = torch.stack([(found == step).sum((1, 2)) for step in range(1, steps + 1)])
    assert (areas.sum(0) == height * width).all()
    assert (areas - height * width / steps).abs().max() <= min(block, height) * min(block, width)


@pytest.mark.parametrize(
    "change", [torch.exp, lambda x: 3 * x - 7, lambda x: x**3, lambda x: x.argsort().argsort()]
)
def test_what_keeps_the_order_of_values_changes_nothing(change):
    saliency = torch.randn(64, generator=generator("monotone"), dtype=torch.float64)
    orders = orders_of((8, 8))
    expected = removal_steps(saliency.view(8, 8), orders, 5, 1)
    changed = change(saliency).double().view(8, 8)
    assert torch.equal(removal_steps(changed, orders, 5, 1), expected)


def test_a_falling_change_turns_the_order_round():
    saliency = torch.randn(6, 6, generator=generator("turned"))
    orders = orders_of((6, 6))
    turned = removal_steps(-saliency, orders, 6, 1)
    assert torch.equal(turned, 7 - removal_steps(saliency, orders, 6, 1))


@pytest.mark.parametrize("value", [0.0, 0.1, -3.7])
@pytest.mark.parametrize("block", [1, 3, 4])
def test_a_constant_map_goes_in_the_random_orders(value, block):
    orders = orders_of((7, 10), block)
    found = removal_steps(torch.full((7, 10), value), orders, 4, block)
    areas = block_areas((7, 10), block).flatten()
    rows = -(-7 // block)
    for draw, order in enumerate(orders):
        gone = 0
        for cell in order.tolist():
            y, x = divmod(cell, areas.numel() // rows)
            middle = gone + int(areas[cell]) / 2
            assert int(found[draw, y * block, x * block]) == 1 + int(middle * 4 / 70)
            gone += int(areas[cell])


def test_zeros_of_both_signs_are_a_tie():
    saliency = torch.zeros(4, 4)
    saliency[::2] = -0.0
    orders = orders_of((4, 4))
    assert torch.equal(
        removal_steps(saliency, orders, 4, 1), removal_steps(saliency.abs(), orders, 4, 1)
    )


def test_only_ties_are_broken_at_random():
    saliency = torch.zeros(6, 6)
    saliency[:3] = torch.arange(18, 0, -1.0).view(3, 6)
    found = removal_steps(saliency, orders_of((6, 6), draws=4), 6, 1)
    assert (found[:, :3] == found[:1, :3]).all()
    assert (found[:, 3:] != found[:1, 3:]).any()
    assert found[:, 3:].min() == 4


def test_one_row_stands_for_all_orders_where_they_change_no_step():
    orders, ascending = orders_of((4, 6)), torch.arange(24.0)
    assert len(removal_steps(ascending.view(4, 6), orders, 4, 1)) == 1
    within, across = ascending.clone(), ascending.clone()
    within[22] = within[23]  # both go first
    assert len(removal_steps(within.view(4, 6), orders, 4, 1)) == 1
    across[17] = across[18]  # one goes in the first step, the other in the second
    assert len(removal_steps(across.view(4, 6), orders, 4, 1)) == 3


def test_orders_are_a_function_of_their_source():
    assert torch.equal(orders_of((5, 4)), orders_of((5, 4)))
    assert not torch.equal(orders_of((5, 4)), orders_of((5, 4), seed=1))
    for order in orders_of((5, 4)):
        assert sorted(order.tolist()) == list(range(20))


def test_blocks_at_the_border_are_means_of_what_they_have():
    saliency = torch.arange(15.0).view(3, 5)
    assert torch.equal(block_means(saliency, 2)[1], torch.tensor([10.5, 12.5, 14]).double())
    assert block_areas((3, 5), 2).tolist() == [[4, 4, 2], [2, 2, 1]]


def test_a_block_as_large_as_the_image_goes_at_once():
    found = removal_steps(torch.rand(4, 6), orders_of((4, 6), 9), 4, 9)
    assert found.unique().tolist() == [3]
