import numpy as np
import pytest

from xbench import Draws, Resampling
from xbench_study.kernels.clustered_means import dyad_means, group_means
from xbench_study.kernels.medians import clustered_median

PLAN = Resampling(resamples=60)


def answers(seed=0, n=80):
    rng = np.random.default_rng(seed)
    images, people = rng.integers(0, 9, n), rng.integers(0, 6, n)
    right = rng.integers(0, 2, n).astype(float)
    right[rng.random(n) < 0.1] = np.nan
    return images, people, right, rng.integers(-1, 3, n)


def resampled_rows(images, people, draws):
    """Of each resample, every answer as often as its image times its participant."""
    keys = [np.unique(key, return_inverse=True) for key in (images, people)]
    drawn = [draws.for_clusters(len(names), key) for key, (names, _) in enumerate(keys)]
    for resample in range(PLAN.resamples):
        yield [
            row
            for row in range(len(images))
            for _ in range(
                drawn[0][resample][keys[0][1][row]] * drawn[1][resample][keys[1][1][row]]
            )
        ]


def slow_mean(values):
    scored = [value for value in values if not np.isnan(value)]
    return sum(scored) / len(scored) if scored else float("nan")


def interval(values):
    return tuple(np.nanquantile(np.array(values), [0.025, 0.975]))


def test_means_and_differences_of_groups_are_those_of_a_loop():
    images, people, right, groups = answers()
    draws = Draws(PLAN)
    found = group_means(images, people, right, groups, 3, draws)
    slow = [
        [slow_mean([right[row] for row in rows if groups[row] == group]) for group in range(3)]
        for rows in resampled_rows(images, people, draws)
    ]
    for group in range(3):
        estimate = found.estimate(group)
        assert estimate.value == pytest.approx(slow_mean(right[groups == group]), abs=1e-9)
        assert estimate[1:] == pytest.approx(interval([row[group] for row in slow]), abs=1e-9)
    difference = found.difference(2, 0)
    assert difference[1:] == pytest.approx(interval([row[2] - row[0] for row in slow]), abs=1e-9)
    weighted = found.combination(np.array([0.25, 0.75, 0.0]))
    assert weighted[1:] == pytest.approx(
        interval([0.25 * row[0] + 0.75 * row[1] for row in slow]), abs=1e-9
    )


def test_a_median_and_its_interval_are_those_of_a_loop():
    images, people, _, _ = answers()
    seconds = np.random.default_rng(1).lognormal(size=len(images)).round(1)
    draws = Draws(PLAN)
    found = clustered_median(images, people, seconds, draws)
    slow = [np.median(seconds[rows]) for rows in resampled_rows(images, people, draws) if rows]
    assert found.value == np.median(seconds)
    assert found[1:] == pytest.approx(interval(slow), abs=1e-9)


def test_groups_without_answers_are_nan_and_do_not_spoil_the_others():
    images, people, right, groups = answers()
    groups[groups == 1] = -1
    found = group_means(images, people, right, groups, 3, Draws(PLAN))
    assert np.isnan(found.estimate(1)).all()
    assert np.isfinite(found.difference(0, 2)).all()
    empty = np.array([], dtype=int)
    assert np.isnan(clustered_median(empty, empty, np.array([]), Draws(PLAN))).all()


def test_equal_answers_have_an_interval_of_no_width():
    images, people, right, groups = answers()
    found = group_means(images, people, np.ones_like(right), np.maximum(groups, 0), 3, Draws(PLAN))
    assert found.estimate(0) == (1, 1, 1)
    assert found.difference(1, 2) == (0, 0, 0)


def test_people_who_vary_widen_the_interval_that_answers_alone_would_give():
    rng = np.random.default_rng(0)
    people, images = np.repeat(np.arange(8), 50), np.tile(np.arange(50), 8)
    right = (rng.random(400) < np.repeat([0.2, 0.9] * 4, 50)).astype(float)
    alone = group_means(images, np.arange(400), right, np.zeros(400, int), 1, Draws(PLAN))
    crossed = group_means(images, people, right, np.zeros(400, int), 1, Draws(PLAN))
    widths = [of.estimate(0).high - of.estimate(0).low for of in (alone, crossed)]
    assert widths[1] > 2 * widths[0]


def test_means_over_pairs_of_people_are_those_of_a_loop():
    rng = np.random.default_rng(1)
    images, groups = rng.integers(0, 5, 40), rng.integers(-1, 2, 40)
    people = np.array([rng.choice(6, 2, replace=False) for _ in range(40)])
    agree = rng.integers(0, 2, 40).astype(float)
    draws = Draws(PLAN)
    found = dyad_means(images, people, agree, groups, 2, draws)
    images_drawn, people_drawn = draws.for_clusters(5), draws.for_clusters(6, 1)
    slow = []
    for resample in range(PLAN.resamples):
        values = [[], []]
        for image, (a, b), value, group in zip(images, people, agree, groups, strict=True):
            times = images_drawn[resample][image] * people_drawn[resample][a]
            times *= people_drawn[resample][b]
            if group >= 0:
                values[group] += [value] * times
        slow.append([slow_mean(of) for of in values])
    for group in range(2):
        estimate = found.estimate(group)
        assert estimate.value == pytest.approx(slow_mean(agree[groups == group]), abs=1e-9)
        assert estimate[1:] == pytest.approx(interval([row[group] for row in slow]), abs=1e-9)
    difference = found.difference(0, 1)
    assert difference[1:] == pytest.approx(interval([row[0] - row[1] for row in slow]), abs=1e-9)


def test_no_pairs_of_people_have_no_mean():
    empty = np.zeros(0, dtype=np.int64)
    none = dyad_means(empty, empty.reshape(0, 2), np.zeros(0), empty, 1, Draws(PLAN))
    assert np.isnan(none.estimate(0).value)
