"""What people reach: against plain loops, SciPy, and what is known of drawn labels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from people_drawn import counts_drawn
from xbench_softlabels.kernels.ceilings import (
    drawn_votes,
    half_against_half,
    people_predict_people,
    smoothed_shares,
)
from xbench_softlabels.kernels.distances import entropies, human_distributions
from xbench_softlabels.kernels.ranks import average_ranks, rank_correlation, rank_products

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS)
def test_ranks_and_their_correlation_are_those_of_scipy(seed):
    source = np.random.default_rng(seed)
    values, others = source.integers(0, 9, 30) / 4, source.normal(size=30).round(1)
    np.testing.assert_array_equal(average_ranks(values), rankdata(values))
    assert rank_correlation(values, others) == pytest.approx(spearmanr(values, others)[0])
    assert rank_products(values, others).mean() == rank_correlation(values, others)


def test_order_alone_counts_for_ranks():
    values = np.array([0.1, 0.4, 0.2, 3.0])
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1)
    assert rank_correlation(values, -values) == pytest.approx(-1)


def test_constant_values_have_no_order():
    assert np.isnan(rank_products(np.ones(4), np.arange(4.0))).all()
    assert math.isnan(rank_correlation(np.ones(4), np.arange(4.0)))
    assert math.isnan(rank_correlation(np.zeros(0), np.zeros(0)))


@given(SEEDS)
def test_votes_are_all_labels_and_first_ones_are_some_of_them(seed):
    counts = counts_drawn(seed)
    counts[0] = 0
    votes = drawn_votes(counts, np.random.default_rng(seed))
    np.testing.assert_array_equal(votes.first(counts.sum(1)), counts)
    assert not votes.first(np.zeros(len(counts), np.int64)).any()
    sizes = np.minimum(5, counts.sum(1))
    first = votes.first(sizes)
    np.testing.assert_array_equal(first.sum(1), sizes)
    assert ((first >= 0) & (first <= counts)).all()
    for image in range(len(counts)):  # one label after the other
        own = [
            c
            for i, c, p in zip(votes.images, votes.classes, votes.places, strict=True)
            if i == image and p < 5
        ]
        assert np.bincount(own, minlength=4).tolist() == first[image].tolist()


def test_every_annotator_is_drawn_as_often():
    counts = np.tile([6, 3, 1], (3000, 1))
    ones = np.full(3000, 1)
    first = drawn_votes(counts, np.random.default_rng(1)).first(ones).mean(0)
    np.testing.assert_allclose(first, [0.6, 0.3, 0.1], atol=4 * math.sqrt(0.25 / 3000))


def slow_ceiling(counts, annotators, smoothing) -> tuple[float, float]:
    """Over all ways to choose who predicts, each annotator being told apart."""
    from itertools import combinations

    people = [c for c, count in enumerate(counts) for _ in range(count)]
    classes, entropy, brier = len(counts), [], []
    for chosen in combinations(range(len(people)), annotators):
        mine = [people[n] for n in chosen]
        theirs = [people[n] for n in range(len(people)) if n not in chosen]
        total, squares = 0.0, 0.0
        for c in range(classes):
            p, plain = theirs.count(c) / len(theirs), mine.count(c) / annotators
            q = (mine.count(c) + smoothing / classes) / (annotators + smoothing)
            total -= p * math.log(q) if p else 0.0
            squares += (plain - p) ** 2
        entropy.append(total)
        brier.append(squares)
    return sum(entropy) / len(entropy), sum(brier) / len(brier)


def test_people_who_predict_people_are_found_by_counting_all_choices():
    counts = np.array([[4, 2, 1], [3, 3, 0]])
    expected = np.mean([slow_ceiling(row.tolist(), 2, 1.0) for row in counts], axis=0)
    source = np.random.default_rng(0)
    (ceiling,) = people_predict_people(counts, (2,), 1.0, 2500, source)
    assert (ceiling.cross_entropy, ceiling.brier) == pytest.approx(expected, rel=0.03)
    assert ceiling.images == 2


def test_more_people_predict_better_and_none_beats_the_entropy():
    p = np.array([0.6, 0.3, 0.1])
    counts = np.random.default_rng(0).multinomial(60, p, size=400)
    source = np.random.default_rng(1)
    ceilings = people_predict_people(counts, (1, 4, 16, 40), 1.0, 3, source)
    values = [ceiling.cross_entropy for ceiling in ceilings]
    assert values == sorted(values, reverse=True)
    assert values[-1] > entropies(p[None])[0]
    briers = [ceiling.brier for ceiling in ceilings[:3]]
    assert briers == sorted(briers, reverse=True)


def test_without_smoothing_a_class_that_was_not_drawn_is_infinite():
    counts = np.array([[5, 5]] * 50)
    source = np.random.default_rng(0)
    (ceiling,) = people_predict_people(counts, (1,), 0.0, 1, source)
    assert math.isinf(ceiling.cross_entropy)
    np.testing.assert_allclose(smoothed_shares(np.array([[1, 0]]), 1.0), [[0.75, 0.25]])


def test_images_without_others_are_left_out():
    counts = np.array([[2, 0], [5, 1]])
    source = np.random.default_rng(0)
    few, many = people_predict_people(counts, (2, 9), 1.0, 2, source)
    assert (few.images, many.images) == (1, 0)
    assert math.isnan(many.cross_entropy)


def test_halves_are_reliable_where_images_differ_and_not_where_they_do_not():
    source = np.random.default_rng(0)
    clear = np.concatenate([np.tile([40, 0, 0], (50, 1)), np.tile([26, 12, 2], (50, 1))])
    halves = half_against_half(clear, 4, source)
    assert halves.entropy_correlation > 0.6
    assert halves.entropy_correlation < halves.corrected < halves.highest <= 1
    assert halves.corrected == pytest.approx(
        2 * halves.entropy_correlation / (1 + halves.entropy_correlation)
    )
    assert halves.second_share == pytest.approx(0.5, abs=0.02)
    assert halves.second_agreement > 0.9
    same = np.random.default_rng(2).multinomial(40, [0.6, 0.3, 0.1], size=2000)
    assert abs(half_against_half(same, 4, source).entropy_correlation) < 0.05


def test_where_all_agree_halves_have_no_order_and_no_second():
    halves = half_against_half(np.tile([9, 0, 0], (20, 1)), 2, np.random.default_rng(0))
    assert math.isnan(halves.entropy_correlation)
    assert math.isnan(halves.highest)
    assert math.isnan(halves.second_agreement)
    assert halves.second_share == 0
    alone = half_against_half(np.array([[1, 0]]), 2, np.random.default_rng(0))
    assert math.isnan(alone.second_share)


def test_half_of_an_odd_number_is_the_smaller_half():
    counts = np.array([[7, 0]])
    votes = drawn_votes(counts, np.random.default_rng(0))
    assert votes.first(counts.sum(1) // 2).sum() == 3
    assert human_distributions(counts)[0].tolist() == [1, 0]
