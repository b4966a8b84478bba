import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from xbench_study.kernels.t_tests import paired_t, unpaired_t, welch_t

A, B = np.array([0.6, 0.8, 0.9, 0.5, 0.7]), np.array([0.4, 0.9, 0.6, 0.4])
SHARES = st.lists(st.integers(0, 9), min_size=2, max_size=12)


def slow_p(t, degrees):
    """Twice the area beyond |t| under Student's density."""
    front = math.gamma((degrees + 1) / 2) / math.sqrt(degrees * math.pi) / math.gamma(degrees / 2)
    area, _ = integrate.quad(
        lambda x: front * (1 + x * x / degrees) ** (-(degrees + 1) / 2), 0, abs(t), epsabs=1e-12
    )
    return 1 - 2 * area


def slow_variance(values):
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def test_the_unpaired_test_by_hand():
    # means .7 and .575; sums of squares .10 and .1675; (.10 + .1675)/7 · (1/5 + 1/4) = .0171964
    found = unpaired_t(A, B)
    assert found.difference == pytest.approx(0.125, abs=1e-9)
    assert found.t == pytest.approx(0.125 / math.sqrt(0.2675 / 7 * 0.45), abs=1e-9)
    assert found.degrees == 7
    assert found.p == pytest.approx(slow_p(found.t, 7), abs=1e-9)


def test_welchs_test_by_hand():
    a, b = 0.10 / 4 / 5, 0.1675 / 3 / 4
    found = welch_t(A, B)
    assert found.t == pytest.approx(0.125 / math.sqrt(a + b), abs=1e-9)
    assert found.degrees == pytest.approx((a + b) ** 2 / (a * a / 4 + b * b / 3), abs=1e-9)
    assert found.p == pytest.approx(slow_p(found.t, found.degrees), abs=1e-9)


def test_the_paired_test_by_hand():
    # differences .2, −.1, .3, .1: mean .125, sum of squares .0875, error √(.0875/3/4)
    found = paired_t(A[:4], B)
    assert found.t == pytest.approx(0.125 / math.sqrt(0.0875 / 12), abs=1e-9)
    assert (found.degrees, found.p) == (3, pytest.approx(slow_p(found.t, 3), abs=1e-9))


@given(SHARES, SHARES)
def test_two_groups_are_tested_as_scipy_does(first, second):
    a, b = np.array(first) / 9, np.array(second) / 9
    if slow_variance(a) < 1e-9 or slow_variance(b) < 1e-9:
        return
    for ours, equal in ((unpaired_t(a, b), True), (welch_t(a, b), False)):
        theirs = stats.ttest_ind(a, b, equal_var=equal)
        assert (ours.t, ours.degrees, ours.p) == pytest.approx(
            (theirs.statistic, theirs.df, theirs.pvalue), abs=1e-9
        )
        low, high = theirs.confidence_interval()
        assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=12))
def test_pairs_are_tested_as_scipy_does_and_signs_follow_the_order(pairs):
    a, b = np.array(pairs).T / 9
    if slow_variance(a - b) < 1e-9:
        return
    ours, theirs = paired_t(a, b), stats.ttest_rel(a, b)
    assert (ours.t, ours.degrees, ours.p) == pytest.approx(
        (theirs.statistic, theirs.df, theirs.pvalue), abs=1e-9
    )
    assert paired_t(b, a).t == pytest.approx(-ours.t)


@pytest.mark.parametrize("test", [unpaired_t, welch_t, paired_t])
def test_what_does_not_vary_is_told_apart_surely_or_not_at_all(test):
    flat = np.full(5, 0.1 + 0.2)
    assert test(flat, flat)[:4] == (0, 0, 0, 0)
    assert test(flat, flat).p == 1
    lower = test(flat, np.full(5, 0.7))
    assert (lower.t, lower.p) == (-math.inf, 0)


@pytest.mark.parametrize("test", [unpaired_t, welch_t, paired_t])
def test_single_units_have_a_difference_and_no_test(test):
    found = test(np.array([0.5]), np.array([0.25]))
    assert found.difference == 0.25
    assert math.isnan(found.p)
    assert math.isnan(test(np.array([]), np.array([])).difference)
