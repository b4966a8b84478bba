"""The pigeonhole bootstrap: two keys are drawn, each for itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench.kernels import bootstrap
from xbench.kernels.bootstrap import pair_totals, pigeonhole_means, resample_counts


def slow_means(first, second, values, drawn_first, drawn_second):
    """Each value as often as its first cluster was drawn, times as often as its second was."""
    means = []
    for rows, columns in zip(drawn_first, drawn_second, strict=True):
        total, count = 0.0, 0
        for i, j, value in zip(first, second, values, strict=True):
            for _ in range(int(rows[i]) * int(columns[j])):
                if not np.isnan(value):
                    total, count = total + value, count + 1
        means.append(total / count if count else np.nan)
    return np.array(means)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 3), st.floats(0, 1) | st.just(float("nan"))),
        max_size=25,
    ),
    block=st.sampled_from([1, 7, 2**22]),
)
def test_means_equal_those_of_the_slow_loop_in_blocks_of_any_size(rows, block):
    first, second = (np.array([row[key] for row in rows], np.int64) for key in (0, 1))
    values = np.array([row[2] for row in rows], np.float64)
    drawn = resample_counts(5, 20, seed=1), resample_counts(4, 20, seed=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "WEIGHTS", block)
        found = pigeonhole_means(pair_totals(first, second, values), *drawn)
    np.testing.assert_allclose(found, slow_means(first, second, values, *drawn), atol=1e-12)


def test_columns_are_resampled_together():
    source = np.random.default_rng(0)
    first, second = source.integers(0, 6, 40), source.integers(0, 5, 40)
    values = source.random((40, 3))
    drawn = resample_counts(6, 30, seed=1), resample_counts(5, 30, seed=2)
    found = pigeonhole_means(pair_totals(first, second, values), *drawn)
    slow = [slow_means(first, second, column, *drawn) for column in values.T]
    np.testing.assert_allclose(found, np.transpose(slow), atol=1e-12)


def test_totals_are_those_of_the_pairs_that_have_rows():
    first, second = np.array([2, 0, 2, 2]), np.array([1, 0, 1, 0])
    totals = pair_totals(first, second, np.array([1.0, 2.0, 3.0, np.nan]))
    assert list(zip(totals.first, totals.second, strict=True)) == [(0, 0), (2, 0), (2, 1)]
    assert totals.sums.tolist() == [2, 0, 4]
    assert totals.counts.tolist() == [1, 0, 2]


def test_an_interval_covers_the_true_mean_where_one_key_alone_would_not():
    """Both keys vary: resampling images alone is far too sure."""
    source, hits, naive = np.random.default_rng(3), 0, 0
    people, images = np.repeat(np.arange(15), 15), np.tile(np.arange(15), 15)
    for trial in range(150):
        values = source.normal(size=15)[people] + source.normal(size=15)[images]
        drawn = resample_counts(15, 200, 2 * trial), resample_counts(15, 200, 2 * trial + 1)
        means = pigeonhole_means(pair_totals(images, people, values), *drawn)
        alone = bootstrap.bootstrap_means(bootstrap.cluster_totals(images, values), drawn[0])
        for found, add in ((means, (1, 0)), (alone, (0, 1))):
            low, high = bootstrap.percentile_interval(found, 0.95)
            inside = low <= 0 <= high
            hits, naive = hits + inside * add[0], naive + inside * add[1]
    assert hits / 150 > 0.88
    assert naive / 150 < 0.88
