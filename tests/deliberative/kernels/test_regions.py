"""Regions have exactly the stated area and a fixed order of pixels."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from threads import threads
from xbench.kernels import resized_maps
from xbench_deliberative.kernels import regions

VALUES = st.floats(-2, 2, width=16) | st.sampled_from([0.0, -0.0, 1.0])
MAPS = arrays("float32", (2, 5, 7), elements=VALUES)


def slow_ranks(values: list[float]) -> list[int]:
    """Sort pixels by falling value, then by falling place in the tie order."""
    ties = regions.tie_order(len(values)).tolist()
    order = sorted(range(len(values)), key=lambda p: (-values[p], -ties[p]))
    ranks = [0] * len(values)
    for rank, pixel in enumerate(order):
        ranks[pixel] = rank
    return ranks


@given(MAPS)
def test_ranks_equal_their_slow_twin_exactly(values: object) -> None:
    maps = torch.as_tensor(values)
    slow = torch.tensor([slow_ranks(one.flatten().tolist()) for one in maps])
    assert torch.equal(regions.pixel_ranks(maps), slow)
    points = torch.tensor([[0, 34, 17], [3, 3, 20]])
    assert torch.equal(regions.ranks_at(maps, points), slow.gather(1, points))


@given(MAPS, st.floats(0, 1))
def test_a_region_has_exactly_its_area_and_holds_the_first_pixels(
    values: object, coverage: float
) -> None:
    maps = torch.as_tensor(values)
    mask = regions.region(maps, coverage)
    count = round(coverage * 35)
    assert mask.sum((1, 2)).tolist() == [count, count]
    assert torch.equal(mask.flatten(1), regions.pixel_ranks(maps) < count)


@given(MAPS, st.integers(0, 35), st.integers(0, 35))
def test_larger_regions_hold_smaller_ones(values: object, some: int, more: int) -> None:
    maps = torch.as_tensor(values)
    some, more = min(some, more), max(some, more)
    small, large = regions.region(maps, some / 35), regions.region(maps, more / 35)
    assert (large | ~small).all()


@given(MAPS)
def test_regions_ignore_a_positive_scale(values: object) -> None:
    maps = torch.as_tensor(values)
    assert torch.equal(regions.pixel_ranks(maps), regions.pixel_ranks(maps * 4))


def test_infinite_values_come_first_and_last() -> None:
    maps = torch.zeros(1, 2, 2)
    maps[0, 0, 1], maps[0, 1, 0] = torch.inf, -torch.inf
    ranks = regions.pixel_ranks(maps)[0]
    assert ranks[1] == 0
    assert ranks[2] == 3


def test_equal_pixels_are_taken_evenly_from_all_over_the_image() -> None:
    mask = regions.region(torch.zeros(1, 96, 96), 0.25)[0]
    quarters = mask.view(2, 48, 2, 48).sum((1, 3)).flatten()
    assert int(quarters.sum()) == 96 * 96 // 4
    assert ((quarters - 576).abs() < 60).all()
    rows = mask.sum(1)
    assert int(rows.min()) > 5
    assert int(rows.max()) < 45


def test_the_tie_order_has_no_ties() -> None:
    assert len(regions.tie_order(300_000).unique()) == 300_000


@pytest.mark.slow
def test_ranks_of_resized_maps_do_not_depend_on_threads() -> None:
    # of three maps, and from 65 pixels on, torch's own interpolation does, each time
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        height, width, tall, wide = torch.randint(0, 16, (4,), generator=generator).tolist()
        maps = torch.rand(3, height + 2, width + 2, generator=generator)
        keys = []
        for count in (1, 2, 3, 4):
            with threads(count):
                keys.append(regions.pixel_keys(resized_maps(maps, (tall + 65, wide + 65))))
        # keys are integers, and all of a map's differ: equal keys are equal ranks
        assert all(torch.equal(keys[0], others) for others in keys[1:])


def test_no_maps_give_no_regions() -> None:
    assert regions.region(torch.zeros(0, 10, 14), 0.5).shape == (0, 10, 14)
    assert regions.ranks_at(torch.zeros(0, 10, 14), torch.zeros(0, 3, dtype=torch.long)).shape == (
        0,
        3,
    )
