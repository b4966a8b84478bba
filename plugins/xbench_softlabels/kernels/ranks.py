"""Spearman's rank correlation, as a mean of one value for each image."""

import numpy as np
from jaxtyping import Float, Float64


def average_ranks(values: Float[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Ranks from 1 on; equal values share the mean of their ranks."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[index]


def rank_products(
    values: Float[np.ndarray, " n"], others: Float[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    """Products of standardised ranks, whose mean is Spearman's correlation exactly.

    NaN where either is constant: there is no order then.
    """
    return _standardised(average_ranks(values)) * _standardised(average_ranks(others))


def rank_correlation(values: Float[np.ndarray, " n"], others: Float[np.ndarray, " n"]) -> float:
    """Spearman's correlation; NaN where either is constant, and of nothing."""
    return float(rank_products(values, others).mean()) if len(values) else float("nan")


def _standardised(ranks: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """With mean 0 and variance 1 over all images."""
    middle = ranks - (len(ranks) + 1) / 2
    deviation = np.sqrt((middle**2).mean()) if len(ranks) else 0.0
    return middle / deviation if deviation else np.full(len(ranks), np.nan)
