"""How alike two maps of one image, or two lists of numbers, are."""

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy.stats import rankdata


def rank_correlations(
    references: Float[np.ndarray, "n pixels"], maps: Float[np.ndarray, "n pixels"]
) -> Float64[np.ndarray, " n"]:
    """Spearman's correlation of each map with its reference; ties have their mean rank.

    A constant map has no order left: 0. NaN where the reference is constant, or where either holds
    a value that is not finite.
    """
    defined = ~constant(references) & np.isfinite(references).all(1) & np.isfinite(maps).all(1)
    values = np.full(len(maps), np.nan)
    values[defined] = _correlations(_ranks(references[defined]), _ranks(maps[defined]))
    return values


def constant(maps: Float[np.ndarray, "n pixels"]) -> Bool[np.ndarray, " n"]:
    """Which maps have one value everywhere."""
    return (maps == maps[:, :1]).all(1)


def _ranks(maps: Float[np.ndarray, "n pixels"]) -> Float64[np.ndarray, "n pixels"]:
    """Ranks about their mean, exactly: they are multiples of a half."""
    return rankdata(maps, axis=1) - (maps.shape[1] + 1) / 2


def _correlations(
    ours: Float64[np.ndarray, "n pixels"], theirs: Float64[np.ndarray, "n pixels"]
) -> Float64[np.ndarray, " n"]:
    lengths = np.sqrt((ours**2).sum(1) * (theirs**2).sum(1))
    products = (ours * theirs).sum(1)
    found = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return np.clip(found, -1, 1)
