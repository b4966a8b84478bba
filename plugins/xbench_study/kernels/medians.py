"""Medians with intervals that are clustered by image and participant."""

import numpy as np
from jaxtyping import Float64, Int32, Int64

from xbench import Draws
from xbench.kernels import percentile_interval
from xbench_study.kernels.clustered_means import Estimate

ROWS = 100
"""Resamples whose weights are held at a time."""


def clustered_median(
    images: Int64[np.ndarray, " n"],
    participants: Int64[np.ndarray, " n"],
    values: Float64[np.ndarray, " n"],
    draws: Draws,
) -> Estimate:
    """The median, NaN left out, with the interval of the pigeonhole bootstrap (Owen 2007)."""
    kept = np.flatnonzero(~np.isnan(values))
    order = kept[np.argsort(values[kept], kind="stable")]
    if not len(order):
        return Estimate(*[float("nan")] * 3)
    keys = [np.unique(key[order], return_inverse=True)[1] for key in (images, participants)]
    drawn = [draws.for_clusters(int(of.max()) + 1, key) for key, of in enumerate(keys)]
    medians = np.concatenate(
        [
            _medians(values[order], _weights(drawn, keys, slice(start, start + ROWS)))
            for start in range(0, len(drawn[0]), ROWS)
        ]
    )
    interval = percentile_interval(medians, draws.resampling.level)
    return Estimate(float(np.median(values[order])), *interval)


def _weights(
    drawn: list[np.ndarray], keys: list[np.ndarray], rows: slice
) -> Int32[np.ndarray, "r n"]:
    """How often each answer is in each resample: as often as its image times its participant."""
    return np.asarray(drawn[0][rows][:, keys[0]] * drawn[1][rows][:, keys[1]])


def _medians(
    ordered: Float64[np.ndarray, " n"], weights: Int32[np.ndarray, "r n"]
) -> Float64[np.ndarray, " r"]:
    """Medians of values that stand in order, each as often as its weight; NaN for none at all."""
    below = weights.cumsum(axis=1, dtype=np.int64)
    totals = below[:, -1]
    low, high = (
        np.array(
            [np.searchsorted(row, at, side="right") for row, at in zip(below, ats, strict=True)]
        )
        for ats in ((totals - 1) // 2, totals // 2)
    )
    last = len(ordered) - 1
    middle = (ordered[np.minimum(low, last)] + ordered[np.minimum(high, last)]) / 2
    return np.where(totals > 0, middle, np.nan)
