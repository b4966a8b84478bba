"""Intervals and paired differences."""

import gc
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from named_cases import named
from xbench.errors import PluginError
from xbench.interfaces.protocol import CaseScores
from xbench.interfaces.resampling import Resampling
from xbench.kernels.bootstrap import (
    bootstrap_means,
    cluster_totals,
    percentile_interval,
    resample_counts,
)
from xbench.kernels.names import name_places
from xbench.results import sample, statistics
from xbench.results.statistics import Draws, band, difference, summarised


def scores(values, cases=None, name="score"):
    values = np.asarray(values, dtype=np.float64)
    cases = range(len(values)) if cases is None else cases
    return CaseScores(name, "higher", named(cases), values, headline=True)


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
    made = band(named(cases), values, Draws(plan))
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
    made = band(named(()), np.zeros((0, 4)), Draws(Resampling(resamples=5)))
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
        values = np.full(cases, chance)
        return CaseScores("share", "higher", named(range(cases)), values, chance=chance)

    found = summarised([repeat(1, 0.2), repeat(3, 0.6)], Resampling(resamples=10))
    assert found.chance == pytest.approx(found.value) == pytest.approx(0.5)
    none = CaseScores("share", "higher", named(()), np.zeros(0), chance=None)
    assert summarised([none, repeat(3, 0.6)], Resampling(resamples=10)).chance == pytest.approx(0.6)
    assert summarised([none], Resampling(resamples=10)).chance is None


def studied(people, images, values, **changes):
    """Answers of people to images: each answer is a case."""
    cases = named(range(len(values)))
    keys = named(images), np.array([f"person {p}" for p in people], object)
    return CaseScores("right", "higher", cases, np.asarray(values, float), clusters=keys, **changes)


def test_clusters_move_together_and_cases_are_what_is_paired():
    source = np.random.default_rng(5)
    values, images = source.random(40), source.integers(0, 8, 40)
    own = scores(values)
    together = replace(own, clusters=(named(images),))
    by_image = summarised([scores(values, images)], Resampling())
    clustered = summarised([together], Resampling())
    assert (clustered.low, clustered.high, clustered.n) == (by_image.low, by_image.high, 8)
    assert clustered.interval == "percentile bootstrap over clusters"
    assert summarised([own], Resampling()).interval == "percentile bootstrap over cases"
    holes = replace(together, values=np.where(np.arange(40) < 20, np.nan, values))
    made = difference(("a", "b"), [together], [holes], Resampling())
    assert made.paired
    assert (made.value, made.low, made.high) == (0, 0, 0)  # on the cases that both scored


def test_the_same_cases_in_other_clusters_are_unpaired():
    values = np.arange(4.0)
    one = replace(scores(values), clusters=(named([0, 0, 1, 1]),))
    other = replace(scores(values), clusters=(named([0, 1, 1, 0]),))
    assert difference(("", ""), [one], [one], Resampling(resamples=5)).paired
    assert not difference(("", ""), [one], [other], Resampling(resamples=5)).paired
    assert not difference(("", ""), [one], [scores(values)], Resampling(resamples=5)).paired


def test_the_order_of_rows_does_not_matter_for_pairs():
    source = np.random.default_rng(6)
    a, b = scores(source.random(30)), scores(source.random(30))
    order = source.permutation(30)
    moved = replace(b, cases=b.cases[order], values=b.values[order])
    first, second = (difference(("", ""), [a], [of], Resampling()) for of in (b, moved))
    assert first == second


def test_two_keys_cross_and_an_interval_is_wider_than_that_of_either():
    source = np.random.default_rng(7)
    people, images = np.repeat(np.arange(20), 30), np.tile(np.arange(30), 20)
    ease, skill = source.normal(size=30), source.normal(size=20)
    values = ease[images] + skill[people] + 0.1 * source.normal(size=600)
    both = summarised([studied(people, images, values)], Resampling())
    assert both.interval == "pigeonhole bootstrap over two keys of clusters"
    assert (both.n, both.n_unscored) == (600, 0)
    assert both.value == pytest.approx(values.mean())
    for keys in (named(images),), (named(people),):
        one = summarised([replace(studied(people, images, values), clusters=keys)], Resampling())
        assert both.high - both.low > one.high - one.low


def test_the_second_key_is_drawn_for_itself():
    draws = Draws(Resampling(resamples=20))
    assert not np.array_equal(draws.for_clusters(9), draws.for_clusters(9, key=1))
    assert np.array_equal(draws.for_clusters(9), resample_counts(9, 20, draws.resampling.seed))


def test_differences_of_two_keys_are_paired_by_answer():
    source = np.random.default_rng(8)
    people, images = np.repeat(np.arange(5), 6), np.tile(np.arange(6), 5)
    values = source.random(30)
    a = studied(people, images, values + 0.25)
    b = studied(people, images, np.where(people == 2, np.nan, values))
    made = difference(("a", "b"), [a], [b], Resampling(resamples=50))
    assert made.paired
    assert made.n == 24
    assert (made.value, made.low, made.high) == pytest.approx((0.25, 0.25, 0.25))


def test_a_band_takes_two_keys():
    source = np.random.default_rng(9)
    people, images, values = source.integers(0, 4, 30), source.integers(0, 6, 30), source.random(30)
    plan = Resampling(resamples=40)
    given = studied(people, images, values)
    made = band(given.clusters, values[:, None], Draws(plan))
    score = summarised([given], plan)
    np.testing.assert_allclose(np.ravel(made), [score.value, score.low, score.high])


def test_names_that_many_scores_share_are_read_once(monkeypatch):
    calls = []
    monkeypatch.setattr(sample, "name_places", lambda names: calls.append(1) or name_places(names))
    cases = named(range(50))
    for _ in range(4):
        summarised([CaseScores("s", "higher", cases, np.ones(50))], Resampling(resamples=2))
    assert len(calls) == 1
    known = len(sample._known)
    del cases
    gc.collect()
    assert len(sample._known) < known


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cases": np.arange(3)}, "cases or clusters of type int64; they are names"),
        ({"cases": named(range(2))}, "as many cases as values"),
        ({"clusters": (named(range(3)),) * 3}, "at most 2 keys of clusters"),
        ({"clusters": (named(range(4)),)}, "as many names in each"),
    ],
)
def test_scores_refuse_numbers_for_names_and_columns_of_different_lengths(changes, said):
    with pytest.raises(PluginError, match=re.escape(said)):
        replace(scores([1, 2, 3]), **changes)


def test_other_people_about_the_same_images_are_paired_by_image():
    rng = np.random.default_rng(0)
    images = np.repeat([f"image/{i}" for i in range(30)], 12).astype(object)
    hard = np.repeat(rng.normal(0, 5, 30), 12)
    values = {name: hard + shift + rng.normal(0, 1, 360) for name, shift in (("a", 0), ("b", 1))}

    def scores(name, people):
        who = np.array([f"{people}/{i % 12}" for i in range(360)], dtype=object)
        return [CaseScores("s", "higher", images, values[name], clusters=(images, who))]

    resampling = Resampling(0.95, 400, 0)
    labels = ("a", "b")
    other = difference(labels, scores("a", "x"), scores("b", "y"), resampling)
    apart = difference(labels, scores("a", "x"), scores("b", "y"), resampling, apart=True)
    same = difference(labels, scores("a", "x"), scores("b", "x"), resampling)
    assert other.paired
    assert not apart.paired
    assert other.value == pytest.approx(same.value) == pytest.approx(apart.value)
    widths = [found.high - found.low for found in (same, other, apart)]
    assert widths[0] < 1.2 * widths[1]
    assert 5 * widths[1] < widths[2]
    assert other.low < other.value < other.high


def test_people_who_met_both_conditions_with_different_images_are_paired_by_themselves():
    rng = np.random.default_rng(0)
    skill = rng.normal(0, 5, 40)
    every = [(image, person) for image in range(30) for person in range(40)]
    parity = {0: "a", 1: "b"}

    def scores(name, renamed=""):
        pairs = [(i, p) for i, p in every if parity[(i + p) % 2] == name]
        images = np.array([f"image/{i}" for i, _ in pairs], dtype=object)
        people = np.array([f"{renamed}{p}" for _, p in pairs], dtype=object)
        values = skill[[p for _, p in pairs]] + rng.normal(0, 0.1, len(pairs))
        return [CaseScores("s", "higher", images, values, clusters=(images, people))]

    resampling = Resampling(0.95, 400, 0)
    ours = scores("a")
    same = difference(("a", "b"), ours, scores("b"), resampling)
    other = difference(("a", "b"), ours, scores("b", "another "), resampling)
    assert same.paired
    assert 1.8 * (same.high - same.low) < other.high - other.low
