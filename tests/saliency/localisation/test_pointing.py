"""Pointing and energy: against slow twins, with ties, tolerance and degenerate maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench_saliency.kernels.pointing import areas, boxed, energies, hits, pointless, widened


def slow_hit(values, mask):
    highest = max(values.ravel().tolist())
    places = list(np.ndindex(values.shape))
    tied = [place for place in places if values[place] == highest]
    if len(tied) == len(places):
        return 0.0
    return sum(bool(mask[place]) for place in tied) / len(tied)


def slow_energy(values, mask):
    inside = total = 0.0
    for place in np.ndindex(values.shape):
        if values[place] > 0:
            total += float(values[place])
            inside += float(values[place]) * bool(mask[place])
    return inside / total if total else 0.0


def slow_widened(mask, tolerance):
    """Every pixel with one of the mask's at most so far away."""
    marked = [place for place in np.ndindex(mask.shape) if mask[place]]
    wide = np.zeros_like(mask)
    for row, column in np.ndindex(mask.shape):
        wide[row, column] = any(
            ((row - i) ** 2 + (column - j) ** 2) ** 0.5 <= tolerance for i, j in marked
        )
    return wide


def drawn(seed):
    draws = np.random.default_rng(seed)
    maps = draws.integers(-2, 4, (3, 5, 6)).astype(np.float64)
    return maps, draws.random((3, 5, 6)) < 0.4


@given(st.integers(0, 10**6))
def test_both_are_those_of_the_slow_twins(seed):
    maps, masks = drawn(seed)
    masks[:, 0, 0] = True
    for place in range(3):
        assert hits(maps, masks)[place] == slow_hit(maps[place], masks[place])
        energy = slow_energy(maps[place], masks[place])
        assert energies(maps, masks)[place] == pytest.approx(energy, abs=1e-12)


@given(st.lists(st.tuples(*[st.floats(-2, 9)] * 2, *[st.floats(0.1, 9)] * 2), max_size=4))
def test_a_box_has_the_pixels_whose_centres_lie_in_it(boxes):
    masks = boxed(np.array(boxes, float).reshape(-1, 4), (5, 7))
    assert masks.shape == (len(boxes), 5, 7)
    for mask, (x, y, width, height) in zip(masks, boxes, strict=True):
        for row, column in np.ndindex(5, 7):
            inside = column + 0.5 - x >= 0 and column + 0.5 < x + width
            assert mask[row, column] == (inside and row + 0.5 - y >= 0 and row + 0.5 < y + height)


def test_no_box_has_no_pixels_and_a_whole_one_all():
    masks = boxed(np.array([[np.nan] * 4, [0, 0, 7, 5]]), (5, 7))
    assert areas(masks).tolist() == [0, 1]


@given(st.integers(0, 10**6), st.sampled_from([0, 1, 2, 3]))
def test_a_tolerance_widens_masks_to_a_distance(seed, tolerance):
    _, masks = drawn(seed)
    for wide, mask in zip(widened(masks, tolerance), masks, strict=True):
        np.testing.assert_array_equal(wide, slow_widened(mask, tolerance))


def of(values, marked):
    maps = np.array([values], np.float64)
    masks = np.zeros(maps.shape, bool)
    for place in marked:
        masks[0][place] = True
    return maps, masks


def test_of_tied_maxima_the_share_inside_counts():
    assert hits(*of([[3, 3], [3, 0]], [(0, 0)])).tolist() == pytest.approx([1 / 3])
    assert hits(*of([[3, 3], [1, 0]], [(0, 0), (0, 1)])).tolist() == [1]


@pytest.mark.parametrize("value", [0.0, -1.0, 2.0])
def test_an_empty_map_misses_even_where_the_mask_is_everywhere(value):
    maps, masks = of([[value, value]], [(0, 0), (0, 1)])
    assert hits(maps, masks).tolist() == [0]
    assert pointless(maps).tolist() == [True]


def test_without_positive_values_no_energy_is_inside_and_the_highest_value_still_points():
    maps, masks = of([[-1, -2]], [(0, 0)])
    assert energies(maps, masks).tolist() == [0]
    assert hits(maps, masks).tolist() == [1]


def test_energy_is_the_same_at_every_scale():
    maps, masks = of([[1, 3]], [(0, 1)])
    for scale in (1e-310, 1, 1e307):
        assert energies(scale * maps, masks).tolist() == pytest.approx([0.75])


def test_an_empty_mask_cannot_be_hit_or_missed():
    maps, masks = of([[1, 2]], [])
    assert np.isnan(hits(maps, masks)).all()
    assert np.isnan(energies(maps, masks)).all()
    assert not widened(masks, 3).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_maps_that_are_no_numbers_cannot_be_scored(bad):
    maps, masks = of([[1, bad]], [(0, 0)])
    assert np.isnan(hits(maps, masks)).all()
    assert np.isnan(energies(maps, masks)).all()


def test_a_map_of_equal_values_has_the_masks_area_as_its_energy():
    maps, masks = of([[1, 1, 1, 1]], [(0, 2)])
    assert energies(maps, masks).tolist() == areas(masks).tolist() == [0.25]
