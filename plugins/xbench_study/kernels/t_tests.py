"""The t tests of the papers, with images as units."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

LEVEL = 0.95
"""Of the intervals beside tests."""
FLAT = 1e-12
"""Values that vary by a smaller part of their size do not vary: the rest is rounding."""


class TTest(NamedTuple):
    """A difference of means, its interval by Student's distribution, and the two-sided test.

    Where nothing varies, t is infinite (p 0), or 0 where there is no difference either (p 1);
    NaN where there are too few units for a variance.
    """

    difference: float
    low: float
    high: float
    t: float
    degrees: float
    p: float


def unpaired_t(first: Float64[np.ndarray, " n"], second: Float64[np.ndarray, " m"]) -> TTest:
    """Student's test of two groups of equal variance: experiment 1 of Shen and Huang (2020)."""
    n, m = len(first), len(second)
    degrees = n + m - 2
    if min(n, m) < 1 or degrees < 1:
        return _untested(_mean(first) - _mean(second), degrees)
    pooled = (_squares(first) + _squares(second)) / degrees
    return _tested(_mean(first) - _mean(second), np.sqrt(pooled * (1 / n + 1 / m)), degrees)


def welch_t(first: Float64[np.ndarray, " n"], second: Float64[np.ndarray, " m"]) -> TTest:
    """Welch's test of two groups (1947), which need not vary equally."""
    n, m = len(first), len(second)
    difference = _mean(first) - _mean(second)
    if min(n, m) < 2:
        return _untested(difference, float("nan"))
    a, b = _squares(first) / (n - 1) / n, _squares(second) / (m - 1) / m
    spread = a**2 / (n - 1) + b**2 / (m - 1)
    return _tested(difference, np.sqrt(a + b), (a + b) ** 2 / spread if spread else n + m - 2.0)


def paired_t(first: Float64[np.ndarray, " n"], second: Float64[np.ndarray, " n"]) -> TTest:
    """Student's test of differences within units: experiment 2 of Shen and Huang (2020)."""
    differences = first - second
    n, scale = len(differences), max(np.abs(first).max(initial=0), np.abs(second).max(initial=0))
    if n < 2:
        return _untested(_mean(differences), n - 1)
    error = np.sqrt(_squares(differences, scale) / (n - 1) / n)
    return _tested(_mean(differences), error, n - 1)


def _mean(values: Float64[np.ndarray, " n"]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _squares(values: Float64[np.ndarray, " n"], scale: float = 0.0) -> float:
    """The sum of squares around the mean, zero where it is rounding."""
    deviations = values - values.mean()
    size = max(scale, float(np.abs(values).max()))
    return 0.0 if np.abs(deviations).max() <= FLAT * size else float(deviations @ deviations)


def _untested(difference: float, degrees: float) -> TTest:
    nan = float("nan")
    return TTest(difference, nan, nan, nan, degrees, nan)


def _tested(difference: float, error: float, degrees: float) -> TTest:
    from scipy import stats

    if not error:
        same = abs(difference) <= FLAT
        t = 0.0 if same else float(np.copysign(np.inf, difference))
        return TTest(difference, difference, difference, t, degrees, float(same))
    t, half = difference / error, stats.t.ppf((1 + LEVEL) / 2, degrees) * error
    p = float(2 * stats.t.sf(abs(t), degrees))
    return TTest(difference, difference - float(half), difference + float(half), t, degrees, p)
