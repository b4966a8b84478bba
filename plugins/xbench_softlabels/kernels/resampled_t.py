"""The corrected resampled t-test of differences over folds."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.stats import t as student


class ResampledT(NamedTuple):
    """What folds say of a difference; t and p are NaN where folds do not differ."""

    difference: float
    """Its mean over folds."""
    deviation: float
    """Of one fold's difference from another's."""
    t: float
    p: float
    """Two-sided."""


def corrected_resampled_t(differences: Float64[np.ndarray, " folds"], tested: float) -> ResampledT:
    """The t-test whose variance (1/k + `tested`) s² makes up for shared training images.

    "Inference for the Generalization Error" (Nadeau and Bengio, Machine Learning 2003), equation
    for the corrected resampled t-statistic; `tested` is the number of images that a fold is
    tested on over that it is trained on: 1/(k − 1) where k folds part the images.
    `ValueError` for fewer than two folds.
    """
    count = len(differences)
    if count < 2:
        raise ValueError(f"{count} folds; at least 2 are needed to see how they differ")
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if np.ptp(differences) == 0 or deviation == 0:  # squares of the smallest numbers are 0
        return ResampledT(mean, 0.0, float("nan"), float("nan"))
    t = mean / (deviation * (1 / count + tested) ** 0.5)
    return ResampledT(mean, deviation, t, float(2 * student.sf(abs(t), count - 1)))
