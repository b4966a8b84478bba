"""CIFAR10H and public cross-validated probabilities: figures that were computed elsewhere."""

import numpy as np
import pytest

from xbench_softlabels.kernels.ceilings import (
    drawn_votes,
    half_against_half,
    people_predict_people,
    smoothed_shares,
)
from xbench_softlabels.kernels.choices import (
    NONE,
    crowd_hits,
    first_classes,
    person_accuracies,
    unique_second_classes,
)
from xbench_softlabels.kernels.class_level import class_distributions
from xbench_softlabels.kernels.distances import (
    cross_entropies,
    entropies,
    human_distributions,
    label_cross_entropies,
    miller_madow_entropies,
)

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def counts(realdata):
    return np.load(realdata / "cifar10h/cifar10h-counts.npy")


@pytest.fixture(scope="module")
def labels(realdata):
    with np.load(realdata / "cifar10/test_jpeg.npz") as archive:
        return archive["labels"].astype(np.int64)


@pytest.fixture(scope="module")
def source():
    return np.random.default_rng(0)


def test_cross_validated_probabilities_score_what_they_did_elsewhere(realdata, counts, labels):
    probabilities = np.load(realdata / "cifar10_crossval_probs/cifar10_test_set_pyx.npy")
    logarithms = np.log(probabilities)
    assert (first_classes(probabilities) == labels).mean() == pytest.approx(0.9294, abs=1e-12)
    assert label_cross_entropies(labels, logarithms).mean().round(5) == 0.24917
    fit = cross_entropies(human_distributions(counts), logarithms).mean()
    assert fit.round(5) == 0.51353


def test_bounds_and_the_class_level_reference(counts, labels):
    people = human_distributions(counts)
    assert entropies(people).mean().round(4) == 0.1545
    assert miller_madow_entropies(counts).mean().round(4) == 0.1637
    for smoothing, expected in ((0.0, 0.256548), (0.5, 0.256548)):
        rows = class_distributions(counts, labels, smoothing)
        reference = cross_entropies(people, np.log(rows)[labels]).mean()
        assert reference.round(6) == expected


def test_how_much_people_disagree(counts, labels):
    values = entropies(human_distributions(counts))
    assert (values == 0).sum() == 4393
    assert (np.sort(values)[::-1][:3000].sum() / values.sum()).round(3) == 0.826
    assert ((counts > 0).sum(1) > 1).sum() == 5607
    assert (unique_second_classes(counts) != NONE).sum() == 4730
    # three images are split between two classes; the crowd's accuracy is .9921 if the first wins
    assert (counts.argmax(1) == labels).mean() == 0.9921
    assert crowd_hits(counts, labels).mean() == pytest.approx(0.99215)
    assert person_accuracies(counts, labels).mean().round(4) == 0.9523


def test_halves_of_the_people(counts, source):
    halves = half_against_half([drawn_votes(counts, source) for _ in range(3)])
    assert halves.entropy_correlation == pytest.approx(0.54, abs=0.01)
    assert halves.corrected == pytest.approx(0.70, abs=0.01)
    assert halves.highest == pytest.approx(0.837, abs=0.01)
    assert halves.second_agreement == pytest.approx(0.66, abs=0.015)
    assert halves.second_share == pytest.approx(0.19, abs=0.01)


def test_half_of_the_people_give_some_choice_of_the_other_half_no_chance(counts, source):
    votes = drawn_votes(counts, source)
    half, others = votes.halves()
    with np.errstate(divide="ignore"):
        logarithms = np.log(smoothed_shares(half, 0.0))
    fit = cross_entropies(human_distributions(others), logarithms)
    assert np.isinf(fit).mean() == pytest.approx(0.28, abs=0.01)


def test_people_predict_people_better_the_more_there_are(counts, source):
    ceilings = people_predict_people([drawn_votes(counts, source)], (1, 8, 24), 1.0)
    values = [ceiling.cross_entropy for ceiling in ceilings]
    assert values == sorted(values, reverse=True)
    assert 0.20 < values[-1] < 0.27  # .21 to .26 by smoothing
    assert values[-1] > miller_madow_entropies(counts).mean()
