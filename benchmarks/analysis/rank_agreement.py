"""How far several scores rank the same entries alike, with intervals over images.

Imported by the scripts beside it.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.stats import rankdata

RESAMPLES = 2000
LEVEL = 0.95


class Agreement(NamedTuple):
    """Spearman's ρ of each pair of scores over entries, and the ends of its interval."""

    rho: Float64[np.ndarray, "s s"]
    low: Float64[np.ndarray, "s s"]
    high: Float64[np.ndarray, "s s"]


def agreement(
    values: Float64[np.ndarray, "s k n"],
    counts: Float64[np.ndarray, "s k n"] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Agreement:
    """How alike `s` scores rank `k` entries by their means over `n` images; higher is better.

    `values` are sums over so many `counts` of an image, or single values, NaN where there is
    none. A percentile bootstrap resamples images, the same for all scores and entries.
    """
    present = (~np.isnan(values)).astype(float) if counts is None else counts
    sums, images = np.nan_to_num(values), values.shape[2]
    draws = np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), resamples)
    rho = correlations(_means(sums, present, np.ones((1, images))))[0]
    drawn = correlations(_means(sums, present, draws.astype(float)))
    ends = 100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2
    low, high = np.nanpercentile(drawn, ends, axis=0)
    return Agreement(rho, low, high)


def correlations(means: Float64[np.ndarray, "r s k"]) -> Float64[np.ndarray, "r s s"]:
    """Spearman's ρ between scores over entries; equal means share their mean rank."""
    ranks = rankdata(means, axis=2)
    ranks -= ranks.mean(axis=2, keepdims=True)
    norms = np.linalg.norm(ranks, axis=2, keepdims=True)
    ranks = np.divide(ranks, norms, out=np.full_like(ranks, np.nan), where=norms > 0)
    return ranks @ ranks.transpose(0, 2, 1)


def _means(
    sums: Float64[np.ndarray, "s k n"],
    counts: Float64[np.ndarray, "s k n"],
    weights: Float64[np.ndarray, "r n"],
) -> Float64[np.ndarray, "r s k"]:
    return np.moveaxis((sums @ weights.T) / (counts @ weights.T), 2, 0)
