"""Similarity of maps: against a slow twin, and where there is no order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench_saliency.kernels.similarity import constant, rank_correlations


def slow_ranks(values):
    """Of each value one more than how many are smaller, and half of how many others are equal."""
    return [
        1 + sum(other < value for other in values) + (sum(o == value for o in values) - 1) / 2
        for value in values
    ]


def slow_correlation(one, other):
    ours, theirs = slow_ranks(one), slow_ranks(other)
    mean = (len(one) + 1) / 2
    product = sum((a - mean) * (b - mean) for a, b in zip(ours, theirs, strict=True))
    lengths = [sum((rank - mean) ** 2 for rank in ranks) for ranks in (ours, theirs)]
    return product / (lengths[0] * lengths[1]) ** 0.5


def rows(*values):
    return np.array(values, np.float64)


@given(st.integers(0, 10**6))
def test_it_is_the_rank_correlation_of_the_slow_twin_with_ties(seed):
    draws = np.random.default_rng(seed)
    one, other = draws.integers(0, 6, (2, 3, 12)).astype(np.float64)
    found = rank_correlations(one, other)
    for row in range(3):
        assert found[row] == pytest.approx(slow_correlation(one[row], other[row]), abs=1e-12)


def test_the_same_order_gives_1_and_the_opposite_minus_1():
    one = rows([1, 2, 5, 3])
    assert rank_correlations(one, np.exp(one)) == pytest.approx([1])
    assert rank_correlations(one, -one) == pytest.approx([-1])
    assert rank_correlations(1e-30 * one, 1e30 * one) == pytest.approx([1])


def test_a_constant_map_has_no_order_left_and_a_constant_reference_cannot_be_scored():
    order, flat = rows([1, 2, 3]), rows([4, 4, 4])
    assert rank_correlations(order, flat).tolist() == [0]
    assert np.isnan(rank_correlations(flat, order)).all()
    assert np.isnan(rank_correlations(flat, flat)).all()
    assert constant(np.concatenate([order, flat])).tolist() == [False, True]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_maps_that_are_no_numbers_cannot_be_scored(bad):
    order, spoilt = rows([1, 2, 3]), rows([1, bad, 3])
    assert np.isnan(rank_correlations(order, spoilt)).all()
    assert np.isnan(rank_correlations(spoilt, order)).all()


def test_no_maps_have_no_similarities():
    assert rank_correlations(np.zeros((0, 4)), np.zeros((0, 4))).shape == (0,)
