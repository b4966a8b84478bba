"""What people reach: against plain loops, SciPy, and what is known of drawn labels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from people_drawn import counts_drawn
from xbench_softlabels.kernels.ceilings import (
    Labels,
    drawn_annotators,
    drawn_votes,
    half_against_half,
    people_predict_people,
    smoothed_shares,
)
from xbench_softlabels.kernels.distances import entropies, human_distributions
from xbench_softlabels.kernels.ranks import average_ranks, rank_correlation, rank_products

SEEDS = st.integers(0, 2**32 - 1)


def drawn(counts, draws, seed=0):
    source = np.random.default_rng(seed)
    return [drawn_votes(counts, source) for _ in range(draws)]


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
    (ceiling,) = people_predict_people(drawn(counts, 2500), (2,), 1.0)
    assert (ceiling.cross_entropy, ceiling.brier) == pytest.approx(expected, rel=0.03)
    assert ceiling.images == 2


def test_more_people_predict_better_and_none_beats_the_entropy():
    p = np.array([0.6, 0.3, 0.1])
    counts = np.random.default_rng(0).multinomial(60, p, size=400)
    ceilings = people_predict_people(drawn(counts, 3, seed=1), (1, 4, 16, 40), 1.0)
    values = [ceiling.cross_entropy for ceiling in ceilings]
    assert values == sorted(values, reverse=True)
    assert values[-1] > entropies(p[None])[0]
    briers = [ceiling.brier for ceiling in ceilings[:3]]
    assert briers == sorted(briers, reverse=True)


def test_without_smoothing_a_class_that_was_not_drawn_is_infinite():
    counts = np.array([[5, 5]] * 50)
    (ceiling,) = people_predict_people(drawn(counts, 1), (1,), 0.0)
    assert math.isinf(ceiling.cross_entropy)
    np.testing.assert_allclose(smoothed_shares(np.array([[1, 0]]), 1.0), [[0.75, 0.25]])


def test_images_without_others_are_left_out():
    counts = np.array([[2, 0], [5, 1]])
    few, many = people_predict_people(drawn(counts, 2), (2, 9), 1.0)
    assert (few.images, many.images) == (1, 0)
    assert math.isnan(many.cross_entropy)


def test_halves_are_reliable_where_images_differ_and_not_where_they_do_not():
    clear = np.concatenate([np.tile([40, 0, 0], (50, 1)), np.tile([26, 12, 2], (50, 1))])
    halves = half_against_half(drawn(clear, 4))
    assert halves.entropy_correlation > 0.6
    assert halves.entropy_correlation < halves.corrected < halves.highest <= 1
    assert halves.corrected == pytest.approx(
        2 * halves.entropy_correlation / (1 + halves.entropy_correlation)
    )
    assert halves.second_share == pytest.approx(0.5, abs=0.02)
    assert halves.second_agreement > 0.9
    same = np.random.default_rng(2).multinomial(40, [0.6, 0.3, 0.1], size=2000)
    assert abs(half_against_half(drawn(same, 4)).entropy_correlation) < 0.05


def test_where_all_agree_halves_have_no_order_and_no_second():
    halves = half_against_half(drawn(np.tile([9, 0, 0], (20, 1)), 2))
    assert math.isnan(halves.entropy_correlation)
    assert math.isnan(halves.highest)
    assert math.isnan(halves.second_agreement)
    assert halves.second_share == 0
    alone = half_against_half(drawn(np.array([[1, 0]]), 2))
    assert math.isnan(alone.second_share)


def test_half_of_an_odd_number_is_the_smaller_half():
    counts = np.array([[7, 0]])
    votes = drawn_votes(counts, np.random.default_rng(0))
    assert votes.halves()[0].sum() == 3
    assert human_distributions(counts)[0].tolist() == [1, 0]


SPARSE = (  # image, annotator, class: 7 labelled one image, 2 labelled the last one twice
    (0, 2, 0),
    (0, 3, 1),
    (0, 5, 0),
    (1, 5, 1),
    (1, 3, 1),
    (1, 2, 2),
    (2, 7, 0),
    (2, 2, 1),
    (2, 2, 0),
)


def labels_of(triples, images=3, classes=3):
    columns = np.array(triples, np.int64).reshape(-1, 3).T
    return Labels((images, classes), *columns)


def slow_first(triples, order, image, sizes):
    """The classes that the first `sizes` of the image's annotators gave it, and the others."""
    asked = [who for who in order if any((i, a) == (image, who) for i, a, _ in triples)]
    mine = [c for i, a, c in triples if i == image and a in asked[:sizes]]
    theirs = [c for i, a, c in triples if i == image and a in asked[sizes:]]
    return mine, theirs


@given(SEEDS)
def test_whole_annotators_stand_in_one_order_for_all_images(seed):
    source = np.random.default_rng(seed)
    triples = [tuple(row) for row in source.integers(0, (5, 6, 3), (20, 3)).tolist()]
    votes = drawn_annotators(labels_of(triples, images=5), np.random.default_rng(seed))
    people = sorted({who for _, who, _ in triples})
    ranks = np.random.default_rng(seed).permutation(len(people))
    order = [people[n] for n in np.argsort(ranks)]
    half, asked_of = len(people) // 2, {(i, a) for i, a, _ in triples}
    for image in range(5):
        asked = [who for who in order if (image, who) in asked_of]
        assert votes.annotators()[image] == len(asked)
        for sizes in (0, 1, 3):
            mine, _ = slow_first(triples, order, image, sizes)
            first = votes.first(np.full(5, sizes))[image]
            assert first.tolist() == [mine.count(c) for c in range(3)]
        for whose, counts in zip((order[:half], order[half:]), votes.halves(), strict=True):
            own = [c for i, a, c in triples if i == image and a in whose]
            assert counts[image].tolist() == [own.count(c) for c in range(3)]


def test_whole_annotators_predict_as_all_their_orders_do_on_average():
    from itertools import permutations

    entropy = []
    for order in permutations((2, 3, 5, 7)):
        for image in range(3):
            mine, theirs = slow_first(SPARSE, order, image, 1)
            q = [(mine.count(c) + 1 / 3) / (len(mine) + 1) for c in range(3)]
            entropy.append(-sum(math.log(q[c]) for c in theirs) / len(theirs))
    source = np.random.default_rng(0)
    votes = [drawn_annotators(labels_of(SPARSE), source) for _ in range(2500)]
    (ceiling,) = people_predict_people(votes, (1,), 1.0)
    assert ceiling.images == 3
    assert ceiling.cross_entropy == pytest.approx(sum(entropy) / len(entropy), rel=0.02)


def test_single_labels_are_whole_annotators_who_answered_once():
    counts = counts_drawn(3)
    images = np.repeat(np.arange(len(counts)), counts.sum(1))
    classes = np.concatenate([np.repeat(np.arange(4), row) for row in counts])
    labels = Labels(counts.shape, images, np.arange(len(images)), classes)
    source = np.random.default_rng(0)
    whole = people_predict_people(
        [drawn_annotators(labels, source) for _ in range(60)], (1, 4), 1.0
    )
    single = people_predict_people(drawn(counts, 60), (1, 4), 1.0)
    for mine, other in zip(whole, single, strict=True):
        assert mine.cross_entropy == pytest.approx(other.cross_entropy, rel=0.03)


def test_what_one_annotator_says_twice_makes_no_two_halves_agree():
    source = np.random.default_rng(0)
    doubtful = source.random((300, 2)) < 0.5  # which images each of two annotators is unsure about
    triples = [
        (image, who, 1 if doubtful[image, who] and turn % 2 else 0)
        for image in range(300)
        for who in range(2)
        for turn in range(6)
    ]
    labels = labels_of(triples, images=300, classes=2)
    whole = half_against_half([drawn_annotators(labels, source)])
    single = half_against_half(drawn(drawn_annotators(labels, source).counts(), 4))
    assert abs(whole.entropy_correlation) < 0.12
    assert single.entropy_correlation > 0.3


def test_images_without_labels_in_a_half_are_left_out():
    alone = [(0, 1, 0), (0, 1, 1), (1, 1, 1), (1, 2, 1), (1, 2, 0)]
    votes = drawn_annotators(labels_of(alone, images=3), np.random.default_rng(0))
    first, other = votes.halves()
    assert (first.any(1) & other.any(1)).tolist() == [False, True, False]
    halves = half_against_half([votes])
    assert halves.second_share in (0.0, 1.0)
    assert math.isnan(halves.entropy_correlation)


def test_one_annotator_has_no_halves_and_predicts_nobody():
    votes = [drawn_annotators(labels_of([(0, 4, 1), (2, 4, 0)]), np.random.default_rng(0))]
    assert math.isnan(half_against_half(votes).second_share)
    (ceiling,) = people_predict_people(votes, (1,), 1.0)
    assert ceiling.images == 0
    assert votes[0].annotators().tolist() == [1, 0, 1]
    nobody = drawn_annotators(labels_of([]), np.random.default_rng(0))
    assert not nobody.counts().any()
