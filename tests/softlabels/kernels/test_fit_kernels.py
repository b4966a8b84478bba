"""Distances from people and choices: against plain loops, and by their properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from people_drawn import counts_drawn, probabilities_drawn
from xbench_softlabels.kernels.choices import (
    NONE,
    crowd_hits,
    first_classes,
    person_accuracies,
    second_best_hits,
    second_classes,
    unique_second_classes,
)
from xbench_softlabels.kernels.class_level import class_distributions, label_prior
from xbench_softlabels.kernels.distances import (
    brier_scores,
    cross_entropies,
    entropies,
    human_distributions,
    label_cross_entropies,
    label_distributions,
    miller_madow_entropies,
)

SEEDS = st.integers(0, 2**32 - 1)


def slow_cross_entropy(p, q) -> float:
    """−Σ p log q, term by term."""
    total = 0.0
    for chosen, probability in zip(p, q, strict=True):
        if chosen > 0:
            total += math.inf if probability == 0 else -chosen * math.log(probability)
    return total


def slow_brier(p, q) -> float:
    return sum((one - other) ** 2 for one, other in zip(q, p, strict=True))


def slow_second(counts) -> int:
    """People's second class, or −1: the first of the classes at the top is first."""
    counts = list(counts)
    first = counts.index(max(counts))
    rest = [(count, place) for place, count in enumerate(counts) if place != first]
    most = max(count for count, _ in rest)
    holders = [place for count, place in rest if count == most]
    return holders[0] if most > 0 and len(holders) == 1 else NONE


def slow_network_second(values) -> int:
    values = list(values)
    first = values.index(max(values))
    rest = [value for place, value in enumerate(values) if place != first]
    most = max(rest)
    return next(p for p, value in enumerate(values) if p != first and value == most)


@given(SEEDS)
def test_distances_follow_their_formulas(seed):
    counts, q = counts_drawn(seed), probabilities_drawn(seed)
    p, labels = human_distributions(counts), counts.argmax(1)
    logarithms = np.log(q)
    expected = [slow_cross_entropy(*pair) for pair in zip(p, q, strict=True)]
    np.testing.assert_allclose(cross_entropies(p, logarithms), expected, rtol=1e-12)
    one_hot = label_distributions(labels, counts.shape[1])
    expected = [slow_cross_entropy(*pair) for pair in zip(one_hot, q, strict=True)]
    np.testing.assert_allclose(label_cross_entropies(labels, logarithms), expected, rtol=1e-12)
    expected = [slow_brier(*pair) for pair in zip(p, q, strict=True)]
    np.testing.assert_allclose(brier_scores(p, q), expected, rtol=1e-12, atol=1e-15)
    expected = [slow_cross_entropy(row, row) for row in p]
    np.testing.assert_allclose(entropies(p), expected, rtol=1e-12, atol=1e-15)


@given(SEEDS)
def test_nothing_is_nearer_to_people_than_their_own_distribution(seed):
    p, q = human_distributions(counts_drawn(seed)), probabilities_drawn(seed)
    assert (cross_entropies(p, np.log(q)) - entropies(p) >= -1e-12).all()
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(cross_entropies(p, np.log(p)), entropies(p), atol=1e-12)
    scores = brier_scores(p, q)
    assert ((scores >= 0) & (scores <= 2)).all()
    assert not brier_scores(p, p).any()


def test_a_class_that_nobody_chose_may_have_no_probability_and_no_other_one():
    logarithms = np.log(np.array([[0.5, 0.5, 1.0]])) + np.array([[0.0, 0.0, -np.inf]])
    p = np.array([[0.5, 0.5, 0.0]])
    assert cross_entropies(p, logarithms).tolist() == pytest.approx([math.log(2)])
    assert cross_entropies(p[:, ::-1], logarithms).tolist() == [math.inf]
    assert label_cross_entropies(np.array([2]), logarithms).tolist() == [math.inf]


def test_of_images_that_nobody_labelled_nothing_is_known():
    counts = np.array([[0, 0, 0], [2, 1, 1]])
    assert np.isnan(human_distributions(counts)[0]).all()
    assert np.isnan(miller_madow_entropies(counts)).tolist() == [True, False]
    assert np.isnan(person_accuracies(counts, np.array([0, 0]))).tolist() == [True, False]
    assert unique_second_classes(counts).tolist() == [NONE, NONE]


def test_agreement_has_no_entropy_and_an_even_split_the_most():
    values = entropies(human_distributions(np.array([[7, 0, 0], [3, 3, 3]])))
    assert values.tolist() == pytest.approx([0.0, math.log(3)])
    assert math.copysign(1, values[0]) == 1  # no −0 in tables


def test_miller_madow_adds_half_a_chosen_class_beyond_the_first_for_each_label():
    counts = np.array([[8, 2, 0], [10, 0, 0], [5, 3, 2]])
    plug_in = entropies(human_distributions(counts))
    np.testing.assert_allclose(miller_madow_entropies(counts) - plug_in, [1 / 20, 0, 2 / 20])


def test_miller_madow_is_nearer_to_the_entropy_that_labels_are_drawn_from():
    p = np.array([0.7, 0.2, 0.1])
    counts = np.random.default_rng(0).multinomial(20, p, size=4000)
    true = entropies(p[None])[0]
    plug_in, corrected = entropies(counts / 20).mean(), miller_madow_entropies(counts).mean()
    assert abs(corrected - true) < abs(plug_in - true) / 5


@given(SEEDS, st.integers(2, 5))
def test_second_classes_are_found_by_hand_as_well(seed, classes):
    counts = counts_drawn(seed, classes=classes, annotators=6)
    assert unique_second_classes(counts).tolist() == [slow_second(row) for row in counts]
    values = np.random.default_rng(seed).integers(0, 4, (40, classes)) / 4
    assert second_classes(values).tolist() == [slow_network_second(row) for row in values]


def test_a_second_class_has_to_be_chosen_and_to_be_alone():
    counts = np.array([[9, 0, 0], [5, 2, 2], [5, 3, 1], [4, 4, 1], [4, 4, 4]])
    assert unique_second_classes(counts).tolist() == [NONE, NONE, 1, 1, NONE]
    values = np.array([[0.6, 0.3, 0.1]] * 5)
    np.testing.assert_array_equal(second_best_hits(counts, values), [np.nan, np.nan, 1, 1, np.nan])
    assert second_classes(np.ones((2, 1))).tolist() == [NONE, NONE]
    assert unique_second_classes(np.ones((2, 1), int)).tolist() == [NONE, NONE]


def test_equal_values_stand_in_the_order_of_classes():
    values = np.array([[0.2, 0.4, 0.4], [1 / 3, 1 / 3, 1 / 3]])
    assert first_classes(values).tolist() == [1, 0]
    assert second_classes(values).tolist() == [2, 1]


def test_a_crowd_that_is_split_is_right_in_part():
    counts, labels = np.array([[4, 4, 2], [1, 8, 1], [3, 3, 3]]), np.array([0, 0, 2])
    assert crowd_hits(counts, labels).tolist() == pytest.approx([1 / 2, 0, 1 / 3])
    assert person_accuracies(counts, labels).tolist() == pytest.approx([0.4, 0.1, 1 / 3])


@given(SEEDS, st.sampled_from([0.0, 0.5]))
def test_class_rows_are_sums_of_labels(seed, smoothing):
    counts = counts_drawn(seed)
    labels = np.random.default_rng(seed).integers(0, 3, len(counts))  # class 3 has no image
    classes = counts.shape[1]
    rows = class_distributions(counts, labels, smoothing)
    for label in range(classes):
        own = [counts[place] for place in range(len(counts)) if labels[place] == label]
        sums = [sum(int(row[c]) for row in own) + smoothing for c in range(classes)]
        total = sum(sums)
        expected = [s / total if total else 1 / classes for s in sums]
        np.testing.assert_allclose(rows[label], expected, rtol=1e-12)
    every = [int(counts[:, c].sum()) + smoothing for c in range(classes)]
    np.testing.assert_allclose(label_prior(counts, smoothing), np.array(every) / sum(every))
