"""Paired tests, against SciPy and against the definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xbench.kernels.paired import detectable_difference, holm, paired_tests, student_tails, unskewed


def board(clusters=40, entries=5, seed=0):
    """Values of single cases, that differ in their means."""
    source = np.random.default_rng(seed)
    return source.normal(size=(clusters, entries)) + np.linspace(0, 1, entries)


def ones(values):
    return np.ones(len(values), np.int64)


def test_of_single_cases_statistics_are_those_of_the_paired_t_test():
    values = board()
    tests = paired_tests(values, ones(values))
    for i in range(5):
        for j in range(5):
            if i != j:
                assert tests.statistics[i, j] == pytest.approx(
                    stats.ttest_rel(values[:, i], values[:, j]).statistic, rel=1e-9
                )


def test_where_nothing_is_skewed_p_is_that_of_the_paired_t_test():
    half = board(entries=2)
    values = np.concatenate([half, 2 * half.mean(axis=0) - half])  # mirrored about its mean
    oracle = stats.ttest_rel(values[:, 0], values[:, 1])
    assert paired_tests(values, ones(values)).p[0, 1] == pytest.approx(oracle.pvalue, rel=1e-9)


@given(seed=st.integers(0, 1000))
def test_p_is_never_below_that_of_the_t_test(seed):
    values = np.exp(board(12, 4, seed))
    oracle = stats.ttest_rel(values[:, 1], values[:, 3]).pvalue
    assert paired_tests(values, ones(values)).p[1, 3] >= oracle * (1 - 1e-9)


def test_clusters_of_unequal_size_are_a_ratio_of_sums():
    source = np.random.default_rng(1)
    counts = source.integers(1, 5, 30)
    sums = source.normal(size=(30, 3)) + counts[:, None] * np.array([0.0, 0.5, 2.0])
    tests = paired_tests(sums, counts)
    for i in range(3):
        for j in range(3):
            d = (sums[:, i].sum() - sums[:, j].sum()) / counts.sum()
            total = sum((sums[c, i] - sums[c, j] - counts[c] * d) ** 2 for c in range(30))
            assert tests.differences[i, j] == pytest.approx(d, abs=1e-12)
            error = np.sqrt(total / 29 / 30) / counts.mean()
            assert tests.errors[i, j] == pytest.approx(error, abs=1e-12)


def test_a_transformed_t_of_skewed_data_is_nearer_to_students_distribution():
    """Under the null, of lognormal cases, whose large t are too often negative."""
    values = np.exp(np.random.default_rng(0).normal(size=(4000, 100)))
    errors = values.std(axis=1, ddof=1) / 10
    t = (values.mean(axis=1) - np.exp(0.5)) / errors
    skews = stats.skew(values, axis=1)
    plain, mended = ((student_tails(x, 99) < 0.01).mean() for x in (t, unskewed(t, skews, 100)))
    assert plain > 0.03
    assert mended < plain / 1.5


@pytest.mark.parametrize("degrees", [1, 2, 5, 29, 599, 20000])
def test_tails_are_those_of_scipy(degrees):
    t = np.array([0, 0.01, 0.5, 1, 1.96, 3, 5, 10, 40, 1000])
    oracle = 2 * stats.t.sf(np.abs(np.concatenate([t, -t])), degrees)
    np.testing.assert_allclose(student_tails(np.concatenate([t, -t]), degrees), oracle, rtol=1e-9)
    assert student_tails(np.array([np.inf]), degrees) == pytest.approx(0, abs=1e-90)


def slow_holm(p):
    """The smallest of m p-values times m, the next times m − 1, and never less than before."""
    order, adjusted, before = sorted(range(len(p)), key=lambda i: p[i]), [0.0] * len(p), 0.0
    for place, i in enumerate(order):
        before = max(before, min(1.0, (len(p) - place) * p[i]))
        adjusted[i] = before
    return adjusted


@given(st.lists(st.floats(0, 1), min_size=10, max_size=10))
def test_holm_is_the_slow_loop(of_pairs):
    first, second = np.triu_indices(5, 1)
    p = np.eye(5)
    p[first, second] = p[second, first] = of_pairs
    adjusted = holm(p)
    np.testing.assert_allclose(adjusted[first, second], slow_holm(of_pairs))
    np.testing.assert_array_equal(adjusted, adjusted.T)
    assert (np.diag(adjusted) == 1).all()


def test_a_detectable_difference_is_found_with_its_power():
    source = np.random.default_rng(0)
    found = source.normal(detectable_difference(np.array([0.3])), 0.3, 20000)
    assert (np.abs(found / 0.3) > 1.96).mean() == pytest.approx(0.8, abs=0.01)
    assert detectable_difference(np.array([1.0]))[0] == pytest.approx(2.8016, abs=1e-3)


@pytest.mark.parametrize(("alpha", "power"), [(0.0, 0.8), (0.05, 1.0), (0.8, 0.05)])
def test_a_power_that_no_test_has_is_refused(alpha, power):
    with pytest.raises(ValueError, match="0 < level < power < 1"):
        detectable_difference(np.ones(1), alpha, power)


def test_differences_that_do_not_vary_are_ties_or_certain():
    values = board(entries=3)
    values[:, 1] = values[:, 0]
    values[:, 2] = values[:, 0] + 0.1
    tests = paired_tests(values, ones(values))
    assert tests.statistics[0].tolist() == [0, 0, -np.inf]
    assert tests.p[0].tolist() == [1, 1, pytest.approx(0, abs=1e-90)]


def test_one_cluster_tells_nothing_apart():
    tests = paired_tests(np.array([[1.0, 2.0]]), np.array([3]))
    assert tests.errors[0, 1] == np.inf
    assert tests.p.tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize(
    ("sums", "counts", "message"),
    [
        ([[1.0, np.nan]], [1], "NaN or infinite"),
        ([[1.0, np.inf]], [1], "NaN or infinite"),
        ([[1.0, 2.0]], [0], "at least one"),
        (np.zeros((0, 2)), [], "nothing to compare"),
        (np.zeros((2, 0)), [1, 1], "nothing to compare"),
    ],
)
def test_what_cannot_be_compared_is_refused(sums, counts, message):
    with pytest.raises(ValueError, match=message):
        paired_tests(np.array(sums), np.array(counts, np.int64))
