"""Calibration errors: against plain loops, torchmetrics, and what calibration means."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from people_drawn import probabilities_drawn
from xbench_softlabels.kernels.calibration import (
    Bins,
    binned,
    calibration_error,
    debiased_calibration_error,
    equal_mass_bins,
    equal_width_bins,
)

SEEDS = st.integers(0, 2**32 - 1)


def slow_mass_bins(confidences, bins) -> list[int]:
    """The bin of each: by the mean of the places that its equals take in the order."""
    places = []
    for value in confidences:
        below = sum(other < value for other in confidences)
        equal = sum(other == value for other in confidences)
        middle = below + (equal - 1) / 2 + 0.5
        places.append(min(int(middle / len(confidences) * bins), bins - 1))
    return places


def slow_errors(confidences, outcomes, places) -> tuple[float, float]:
    """The mean difference of bins, and the root of the squares less the variances of means."""
    error, squares, counted = 0.0, 0.0, 0
    for place in set(places):
        own = [n for n, other in enumerate(places) if other == place]
        gaps = [confidences[n] - outcomes[n] for n in own]
        mean = sum(gaps) / len(gaps)
        error += len(own) * abs(mean) / len(places)
        if len(own) > 1:
            variance = sum((gap - mean) ** 2 for gap in gaps) / (len(gaps) - 1)
            squares += len(own) * (mean**2 - variance / len(gaps))
            counted += len(own)
    return error, math.sqrt(max(squares / counted, 0)) if counted else math.nan


@given(SEEDS, st.integers(1, 7))
def test_errors_follow_their_formulas(seed, bins):
    source = np.random.default_rng(seed)
    confidences = source.integers(1, 12, 40) / 12  # with many ties
    outcomes = source.integers(0, 5, 40) / 4
    places = equal_mass_bins(confidences, bins)
    assert places.tolist() == slow_mass_bins(confidences.tolist(), bins)
    of_bins = binned(confidences, outcomes, places)
    errors = calibration_error(of_bins), debiased_calibration_error(of_bins)
    expected = slow_errors(confidences.tolist(), outcomes.tolist(), places.tolist())
    assert errors == pytest.approx(expected, abs=1e-9, nan_ok=True)


@given(SEEDS, st.integers(1, 7))
def test_bins_of_equal_mass_differ_by_one_image(seed, bins):
    confidences = np.random.default_rng(seed).permutation(40) / 40
    sizes = np.bincount(equal_mass_bins(confidences, bins), minlength=bins)
    assert sizes.max() - sizes.min() <= 1
    order = np.argsort(confidences)
    assert (np.diff(equal_mass_bins(confidences, bins)[order]) >= 0).all()


def test_the_order_of_images_does_not_matter_even_with_ties():
    confidences, outcomes = np.array([0.5, 0.5, 0.9, 0.9, 0.9, 0.7]), np.array([1, 0, 1, 1, 0, 0.0])
    order = np.array([5, 4, 3, 2, 1, 0])
    first, other = (
        calibration_error(binned(c, o, equal_mass_bins(c, 3)))
        for c, o in ((confidences, outcomes), (confidences[order], outcomes[order]))
    )
    assert first == pytest.approx(other)


def test_scatter_alone_is_an_error_that_is_taken_away_again():
    """A calibrated network's plain error is far from 0, its debiased squares are 0 on average."""
    plain, squares = [], []
    for seed in range(60):
        source = np.random.default_rng(seed)
        confidences = source.uniform(0.5, 1, 300)
        outcomes = (source.random(300) < confidences).astype(float)
        of_bins = binned(confidences, outcomes, equal_mass_bins(confidences, 15))
        plain.append(calibration_error(of_bins))
        gaps = (of_bins.confidence - of_bins.outcome) ** 2 - of_bins.variance / of_bins.counts
        squares.append(np.average(gaps, weights=of_bins.counts))
    assert np.mean(plain) > 0.06
    assert abs(np.mean(squares)) < 3 * np.std(squares) / math.sqrt(60)


def test_a_network_that_is_far_too_sure_has_the_difference_as_its_error():
    confidences, outcomes = np.full(200, 1.0), np.tile([1.0, 0.0], 100)
    of_bins = binned(confidences, outcomes, equal_mass_bins(confidences, 15))
    assert of_bins.counts.tolist() == [200]  # equal confidences are one bin
    assert calibration_error(of_bins) == pytest.approx(0.5)
    assert debiased_calibration_error(of_bins) == pytest.approx(0.5, abs=2e-3)


def test_of_nothing_there_is_no_error():
    empty = binned(np.zeros(0), np.zeros(0), np.zeros(0, np.int64))
    assert math.isnan(calibration_error(empty))
    assert math.isnan(debiased_calibration_error(empty))
    single = binned(np.array([0.8]), np.array([1.0]), np.array([0]))
    assert calibration_error(single) == pytest.approx(0.2)
    assert math.isnan(debiased_calibration_error(single))  # one image shows no scatter
    assert isinstance(single, Bins)


def test_edges_belong_to_the_bin_below():
    assert equal_width_bins(np.array([0.0, 0.2, 0.21, 1.0]), 5).tolist() == [0, 0, 1, 4]


def test_plain_binning_is_that_of_torchmetrics():
    classification = pytest.importorskip(
        "torchmetrics.functional.classification", reason="torchmetrics is not installed"
    )
    probabilities = probabilities_drawn(3, images=500)
    labels = np.random.default_rng(3).integers(0, 4, 500)
    confidences, hits = probabilities.max(1), probabilities.argmax(1) == labels
    of_bins = binned(confidences, hits.astype(float), equal_width_bins(confidences, 15))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = classification.multiclass_calibration_error(
            torch.from_numpy(probabilities), torch.from_numpy(labels), num_classes=4, n_bins=15
        )
    assert calibration_error(of_bins) == pytest.approx(float(theirs), abs=1e-6)
