"""Ratings of mistakes: whose are the more reasonable ones, on the same images."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from xbench.kernels import pair_totals


class RatedMistakes(NamedTuple):
    """Mean degrees of images (rows) by classifier (columns), NaN where nobody could tell."""

    images: Int64[np.ndarray, " i"]
    degrees: Float64[np.ndarray, "i c"]
    ratings: Int64[np.ndarray, "i c"]
    """How many people gave a degree."""


def rated_mistakes(
    images: Int64[np.ndarray, " n"],
    classifiers: Int64[np.ndarray, " n"],
    degrees: Float64[np.ndarray, " n"],
    count: int,
) -> RatedMistakes:
    """What people said of each image's mistakes; "cannot tell" is NaN, and in no mean."""
    unique, places = np.unique(images, return_inverse=True)
    totals = pair_totals(places, classifiers, degrees)
    sums, ratings = np.zeros((len(unique), count)), np.zeros((len(unique), count), dtype=np.int64)
    sums[totals.first, totals.second] = totals.sums
    ratings[totals.first, totals.second] = totals.counts
    means = np.divide(sums, ratings, out=np.full(sums.shape, np.nan), where=ratings > 0)
    return RatedMistakes(unique, means, ratings)


def rank_correlation(first: Float64[np.ndarray, " n"], second: Float64[np.ndarray, " n"]) -> float:
    """Spearman's rank correlation where both have a value; NaN where either does not vary."""
    from scipy.stats import rankdata

    both = ~(np.isnan(first) | np.isnan(second))
    if both.sum() < 2:
        return float("nan")
    a, b = (rankdata(values[both]) - (both.sum() + 1) / 2 for values in (first, second))
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size else float("nan")
