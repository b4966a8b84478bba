"""Means and their sampling distribution, resampling whole clusters of values."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int32, Int64

ROWS = 100
"""Resamples that are held in double precision at a time ..."""
WEIGHTS = 2**22
"""... if these are not more weights than so many."""


class Totals(NamedTuple):
    """Per cluster, and per column where there are several, sum and number of scored values."""

    clusters: Int64[np.ndarray, " c"]
    sums: Float64[np.ndarray, " c *columns"]
    counts: Int64[np.ndarray, " c *columns"]


def cluster_totals(
    clusters: Int64[np.ndarray, " n"], values: Float64[np.ndarray, " n *columns"]
) -> Totals:
    """Sums and counts per cluster, NaN left out; clusters in ascending order."""
    unique, index = np.unique(clusters, return_inverse=True)
    scored = ~np.isnan(values)
    sums = np.zeros((len(unique), *values.shape[1:]))
    counts = np.zeros(sums.shape, dtype=np.int64)
    np.add.at(sums, index, np.where(scored, values, 0.0))
    np.add.at(counts, index, scored)
    return Totals(unique, sums, counts)


def resample_counts(clusters: int, resamples: int, seed: int) -> Int32[np.ndarray, "r c"]:
    """How often each cluster is drawn in each bootstrap resample."""
    counts = np.zeros((resamples, clusters), dtype=np.int32)
    rng = np.random.default_rng(seed)
    for start in range(0, resamples if clusters else 0, ROWS):
        part = counts[start : start + ROWS]
        part[:] = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=len(part))
    return counts


def bootstrap_means(
    totals: Totals, drawn: Int32[np.ndarray, "r c"]
) -> Float64[np.ndarray, " r *columns"]:
    """The mean of each resample: its sum over its count; NaN where nothing was scored."""
    means = np.zeros((len(drawn), *totals.sums.shape[1:]))
    of_each = totals.counts.astype(np.float64)
    for start in range(0, len(drawn), ROWS):
        # Products of whole numbers are slow, and these exact.
        weights = drawn[start : start + ROWS].astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            means[start : start + ROWS] = (weights @ totals.sums) / (weights @ of_each)
    return means


class PairTotals(NamedTuple):
    """Sum and number of scored values per pair of crossing clusters, by their places."""

    first: Int64[np.ndarray, " p"]
    second: Int64[np.ndarray, " p"]
    sums: Float64[np.ndarray, " p *columns"]
    counts: Int64[np.ndarray, " p *columns"]


def pair_totals(
    first: Int64[np.ndarray, " n"],
    second: Int64[np.ndarray, " n"],
    values: Float64[np.ndarray, " n *columns"],
) -> PairTotals:
    """Sums and counts per pair of clusters that has rows, NaN left out."""
    width = second.max(initial=0) + 1
    totals = cluster_totals(first * width + second, values)
    return PairTotals(*np.divmod(totals.clusters, width), totals.sums, totals.counts)


def pigeonhole_means(
    totals: PairTotals, first: Int32[np.ndarray, "r c"], second: Int32[np.ndarray, "r d"]
) -> Float64[np.ndarray, " r *columns"]:
    """The mean of each resample where both keys are drawn, a pair as often as both its clusters.

    The pigeonhole bootstrap of Owen (2007); NaN where nothing was scored.
    """
    means = np.zeros((len(first), *totals.sums.shape[1:]))
    of_each = totals.counts.astype(np.float64)
    rows = max(1, min(ROWS, WEIGHTS // max(1, len(totals.first))))
    for start in range(0, len(first), rows):
        weights = first[start : start + rows, totals.first].astype(np.float64)
        weights *= second[start : start + rows, totals.second]
        with np.errstate(invalid="ignore", divide="ignore"):
            means[start : start + rows] = (weights @ totals.sums) / (weights @ of_each)
    return means


def percentile_interval(means: Float64[np.ndarray, " r"], level: float) -> tuple[float, float]:
    """The central interval that holds the share `level` of the resampled means."""
    means = means[~np.isnan(means)]
    if not len(means):
        return float("nan"), float("nan")
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
