"""Intervals and paired differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xbench.interfaces.protocol import CaseScores
from xbench.interfaces.resampling import Resampling
from xbench.kernels.bootstrap import (
    bootstrap_means,
    cluster_totals,
    percentile_interval,
    resample_counts,
)
from xbench.results import statistics
from xbench.results.statistics import Draws, band, difference, summarised


def scores(values, cases=None, name="score"):
    values = np.asarray(values, dtype=np.float64)
    cases = np.arange(len(values)) if cases is None else np.asarray(cases)
    return CaseScores(name, "higher", cases.astype(np.int64), values, headline=True)


def slow_means(clusters, values, drawn):
    """Each resample written out: every row of a drawn cluster, as often as it was drawn."""
    unique = sorted(set(clusters))
    means = []
    for counts in drawn:
        taken = []
        for cluster, times in zip(unique, counts, strict=True):
            rows = [v for c, v in zip(clusters, values, strict=True) if c == cluster]
            taken += [v for v in rows if not np.isnan(v)] * int(times)
        means.append(sum(taken) / len(taken) if taken else np.nan)
    return np.array(means)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 5), st.floats(0, 1) | st.just(float("nan"))),
        min_size=1,
        max_size=20,
    )
)
def test_bootstrap_means_equal_the_slow_loop(rows):
    clusters = np.array([row[0] for row in rows], dtype=np.int64)
    values = np.array([row[1] for row in rows])
    totals = cluster_totals(clusters, values)
    drawn = resample_counts(len(totals.clusters), 20, seed=1)
    slow = slow_means(clusters.tolist(), values.tolist(), drawn)
    np.testing.assert_allclose(bootstrap_means(totals, drawn), slow, atol=1e-12)


def test_each_resample_draws_as_many_clusters_as_there_are():
    assert (resample_counts(7, 50, seed=0).sum(axis=1) == 7).all()
    assert resample_counts(0, 50, seed=0).shape == (50, 0)


def test_an_interval_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(300):
        score = summarised(
            [scores(rng.exponential(size=80))], Resampling(resamples=400, seed=trial)
        )
        hits += score.low <= 1 <= score.high
    assert 0.88 <= hits / 300 <= 0.98


def test_cases_that_could_not_be_scored_are_counted_and_left_out():
    score = summarised([scores([1, np.nan, 3])], Resampling())
    assert (score.value, score.n, score.n_unscored) == (2.0, 2, 1)


def test_nothing_scored_is_nan_not_zero():
    score = summarised([scores([np.nan, np.nan])], Resampling())
    assert np.isnan([score.value, score.low, score.high]).all()
    assert score.n_unscored == 2


def test_no_cases_at_all_are_nan():
    assert np.isnan(summarised([scores([])], Resampling()).value)


def test_repeats_of_a_case_move_together():
    """Scoring the same cases three times says nothing new: the interval keeps its width."""
    values = np.random.default_rng(1).normal(size=100)
    one = summarised([scores(values)], Resampling())
    three = summarised([scores(values)] * 3, Resampling())
    assert one.value == pytest.approx(three.value)
    assert (one.low, one.high) == pytest.approx((three.low, three.high))
    assert three.deviation == pytest.approx(0)
    assert np.isnan(one.deviation)


def test_deviation_is_that_of_the_repeats_means():
    assert summarised([scores([1, 1]), scores([3, 3])], Resampling()).deviation == pytest.approx(
        np.std([1, 3], ddof=1)
    )


def test_a_paired_difference_is_sharper_than_its_sides():
    base = np.random.default_rng(2).normal(size=200)
    better = scores(base + 0.1)
    made = difference(("a", "b"), [better], [scores(base)], Resampling())
    assert made.paired
    assert (made.value, made.low, made.high) == pytest.approx((0.1, 0.1, 0.1))


def test_a_paired_difference_takes_only_cases_that_both_scored():
    made = difference(("a", "b"), [scores([1, np.nan, 3])], [scores([0, 0, np.nan])], Resampling())
    assert (made.value, made.n) == (1.0, 1)


def test_entries_with_other_cases_are_compared_unpaired():
    one, other = scores([1, 2, 3], [1, 2, 3]), scores([1, 2, 3], [4, 5, 6])
    made = difference(("a", "b"), [one], [other], Resampling())
    assert not made.paired
    assert made.value == pytest.approx(0)
    assert made.low < 0 < made.high


def test_a_difference_changes_its_sign_with_its_sides():
    a, b = scores([1.0, 4.0, 2.0]), scores([0.5, 1.0, 3.0])
    there, back = (difference(("", ""), x, y, Resampling()) for x, y in [([a], [b]), ([b], [a])])
    assert there.value == pytest.approx(-back.value)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def test_draws_are_made_once_for_each_size():
    draws = Draws(Resampling())
    assert draws.for_clusters(5) is draws.for_clusters(5)


def test_the_interval_of_nothing_is_nan():
    assert np.isnan(percentile_interval(np.array([np.nan]), 0.95)).all()


@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 4),
            st.lists(st.floats(0, 1) | st.just(float("nan")), min_size=3, max_size=3),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_a_band_is_at_each_of_its_points_the_interval_of_a_score(rows):
    cases = np.array([row[0] for row in rows], dtype=np.int64)
    values = np.array([row[1] for row in rows])
    plan = Resampling(resamples=30)
    made = band(cases, values, Draws(plan))
    for point in range(3):
        score = summarised([scores(values[:, point], cases)], plan)
        ours = [side[point] for side in made]
        np.testing.assert_allclose(ours, [score.value, score.low, score.high], atol=1e-12)


def test_bootstrap_means_of_columns_equal_the_slow_loop_of_each():
    source = np.random.default_rng(3)
    clusters, values = source.integers(0, 5, 30), source.random((30, 4))
    values[source.random(values.shape) < 0.3] = np.nan
    totals = cluster_totals(clusters, values)
    drawn = resample_counts(len(totals.clusters), 20, seed=2)
    slow = [slow_means(clusters.tolist(), column.tolist(), drawn) for column in values.T]
    np.testing.assert_allclose(bootstrap_means(totals, drawn), np.transpose(slow), atol=1e-12)


def test_a_band_of_no_cases_is_nan():
    made = band(np.zeros(0, dtype=np.int64), np.zeros((0, 4)), Draws(Resampling(resamples=5)))
    assert made.values.shape == made.low.shape == made.high.shape == (4,)
    assert np.isnan(np.stack(made)).all()


def test_draws_of_many_numbers_of_clusters_do_not_fill_memory(monkeypatch) -> None:
    monkeypatch.setattr(statistics, "MOST_DRAWS", 3 * 8 * 10 * 100)
    draws = Draws(Resampling(resamples=10))
    first = draws.for_clusters(100)
    for clusters in range(90, 100):
        draws.for_clusters(clusters)
        assert draws.for_clusters(100) is first
    assert sum(drawn.nbytes for drawn in draws._drawn.values()) <= statistics.MOST_DRAWS
    again = Draws(Resampling(resamples=10))
    for clusters in (90, 99, 1000):
        assert (draws.for_clusters(clusters) == again.for_clusters(clusters)).all()


def test_chance_weighs_repeats_as_the_value_does():
    def repeat(cases, chance):
        return CaseScores(
            "share", "higher", np.arange(cases), np.full(cases, chance), chance=chance
        )

    found = summarised([repeat(1, 0.2), repeat(3, 0.6)], Resampling(resamples=10))
    assert found.chance == pytest.approx(found.value) == pytest.approx(0.5)
    none = CaseScores("share", "higher", np.arange(0), np.zeros(0), chance=None)
    assert summarised([none, repeat(3, 0.6)], Resampling(resamples=10)).chance == pytest.approx(0.6)
    assert summarised([none], Resampling(resamples=10)).chance is None
