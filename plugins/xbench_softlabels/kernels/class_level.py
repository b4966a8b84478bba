"""Distributions of people that are the same for all images, or for all of a class."""

import numpy as np
from jaxtyping import Float64, Int


def label_prior(
    counts: Int[np.ndarray, "n classes"], smoothing: float
) -> Float64[np.ndarray, " classes"]:
    """How often people choose each class, whatever they see; `smoothing` labels of each more."""
    return _shares(counts.sum(0, keepdims=True), smoothing)[0]


def class_distributions(
    counts: Int[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"], smoothing: float
) -> Float64[np.ndarray, "classes classes"]:
    """How often people choose each class for images of each class (rows).

    `smoothing` labels of each class more, so that no class has probability 0; a row without any
    is uniform.
    """
    totals = np.zeros((counts.shape[1], counts.shape[1]), np.int64)
    np.add.at(totals, labels, counts)
    return _shares(totals, smoothing)


def _shares(
    totals: Int[np.ndarray, "rows classes"], smoothing: float
) -> Float64[np.ndarray, "rows classes"]:
    values = totals + smoothing
    sums = values.sum(1, keepdims=True)
    uniform = np.full(values.shape, 1 / values.shape[1])
    return np.divide(values, sums, out=uniform, where=sums > 0)
