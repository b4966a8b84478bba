"""How far confidences are from what comes true, in bins."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64, Int64

from xbench_softlabels.kernels.ranks import average_ranks


class Bins(NamedTuple):
    """What is known of the images in each bin that has any."""

    counts: Int64[np.ndarray, " bins"]
    confidence: Float64[np.ndarray, " bins"]
    outcome: Float64[np.ndarray, " bins"]
    """Their means."""
    variance: Float64[np.ndarray, " bins"]
    """Of the differences of single images, unbiased; NaN of a single image."""


def equal_mass_bins(confidences: Float[np.ndarray, " n"], bins: int) -> Int64[np.ndarray, " n"]:
    """The bin of each image, where all bins hold as many; equal confidences share one bin."""
    shares = (average_ranks(confidences) - 0.5) / max(len(confidences), 1)
    return np.minimum((shares * bins).astype(np.int64), bins - 1)


def equal_width_bins(confidences: Float[np.ndarray, " n"], bins: int) -> Int64[np.ndarray, " n"]:
    """The bin of each image, where all are as wide; an edge belongs to the bin below it."""
    edges = np.linspace(0, 1, bins + 1)
    return np.clip(np.searchsorted(edges, confidences, side="left") - 1, 0, bins - 1)


def binned(
    confidences: Float[np.ndarray, " n"],
    outcomes: Float[np.ndarray, " n"],
    places: Int64[np.ndarray, " n"],
) -> Bins:
    """The bins that hold images, from low to high confidence."""
    _, index, counts = np.unique(places, return_inverse=True, return_counts=True)
    total = counts.astype(np.float64)
    gaps = confidences.astype(np.float64) - outcomes
    means = [np.bincount(index, of, len(counts)) / total for of in (confidences, outcomes, gaps)]
    squares = np.bincount(index, (gaps - means[2][index]) ** 2, len(counts))
    variance = np.divide(squares, total - 1, out=np.full(len(counts), np.nan), where=total > 1)
    return Bins(counts, means[0], means[1], variance)


def calibration_error(bins: Bins) -> float:
    """The mean of |confidence − outcome| over bins, by their images; NaN without any.

    The expected calibration error of Naeini et al. (2015). It counts the scatter of finite bins
    as error, so even a calibrated network has one above 0.
    """
    return _average(np.abs(bins.confidence - bins.outcome), bins)


def debiased_calibration_error(bins: Bins) -> float:
    """The root of the mean squared difference, less what the scatter within bins adds to it.

    Kumar, Liang and Ma (2019), section 4.2, for outcomes that need not be 0 or 1: the square of
    a bin's mean difference is too large by the variance of this mean. Bins of one image, whose
    variance is not known, are left out. 0 where scatter alone would explain more.
    """
    several = bins.counts > 1
    bins = Bins(*(part[several] for part in bins))
    squares = (bins.confidence - bins.outcome) ** 2 - bins.variance / bins.counts
    return float(np.sqrt(np.maximum(_average(squares, bins), 0)))


def _average(values: Float64[np.ndarray, " bins"], bins: Bins) -> float:
    return float(np.average(values, weights=bins.counts)) if bins.counts.any() else float("nan")
