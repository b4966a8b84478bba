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
    tested on over that it is trained on: 1/(k − 1) where k folds part the images, however many
    of these are scored.
    `ValueError` for fewer than two folds.
    """
    mean, deviation = _mean_and_deviation(differences)
    if deviation == 0:
        return ResampledT(mean, deviation, float("nan"), float("nan"))
    count = len(differences)
    t = mean / _error(deviation, count, tested)
    return ResampledT(mean, deviation, t, float(2 * student.sf(abs(t), count - 1)))


def corrected_reach(
    differences: Float64[np.ndarray, " folds"], tested: float, level: float
) -> float:
    """How far the interval of the mean that goes with this test reaches to either side.

    It holds 0 where p is larger than 1 − `level`; 0 where folds do not differ.
    """
    _, deviation = _mean_and_deviation(differences)
    count = len(differences)
    quantile = student.ppf((1 + level) / 2, count - 1)
    return float(quantile * _error(deviation, count, tested))


def _mean_and_deviation(differences: Float64[np.ndarray, " folds"]) -> tuple[float, float]:
    if len(differences) < 2:
        raise ValueError(f"{len(differences)} folds; at least 2 are needed to see how they differ")
    mean = float(differences.mean())
    if np.ptp(differences) == 0:
        return mean, 0.0
    return mean, float(differences.std(ddof=1))  # 0 where squares are too small to be told from it


def _error(deviation: float, count: int, tested: float) -> float:
    """The standard error of the mean over folds, corrected."""
    return float(deviation * (1 / count + tested) ** 0.5)
