"""Paired tests of all pairs of entries that were scored on the same clusters of cases."""

from math import lgamma
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

FLAT = 1e-12
"""Differences that vary by a smaller part of the values do not vary: the rest is rounding."""

LARGE = 1e200
"""The square of a t statistic that is as good as infinite."""


class Pairs(NamedTuple):
    """Every pair of entries once: the difference of their means, first minus second."""

    first: Int64[np.ndarray, " p"]
    second: Int64[np.ndarray, " p"]
    differences: Float64[np.ndarray, " p"]
    errors: Float64[np.ndarray, " p"]
    """Standard errors: zero where no cluster differs from another, infinite for one cluster."""
    skews: Float64[np.ndarray, " p"]
    """Skewness of the clusters' influences on the difference."""


class PairedTests(NamedTuple):
    """Of all pairs: row minus column, its standard error, t statistic and two-sided p-value."""

    differences: Float64[np.ndarray, "k k"]
    errors: Float64[np.ndarray, "k k"]
    statistics: Float64[np.ndarray, "k k"]
    p: Float64[np.ndarray, "k k"]


def paired_tests(sums: Float64[np.ndarray, "c k"], counts: Int64[np.ndarray, " c"]) -> PairedTests:
    """Paired t tests of the means of all entries, Σ sums / Σ counts, with clusters as units.

    p is the larger one of Student's t test and of the same test with Hall's transformation
    (1992, Journal of the Royal Statistical Society B 54), which takes skewness out of t.
    """
    pairs = compared(sums, counts)
    t, k = statistics(pairs), sums.shape[1]
    straight = student_tails(t, len(sums) - 1)
    p = np.maximum(straight, student_tails(unskewed(t, pairs.skews, len(sums)), len(sums) - 1))
    return PairedTests(
        _matrix(pairs, pairs.differences, -1, k),
        _matrix(pairs, pairs.errors, 1, k),
        _matrix(pairs, t, -1, k),
        _matrix(pairs, p, 1, k) + np.eye(k),
    )


def compared(sums: Float64[np.ndarray, "c k"], counts: Int64[np.ndarray, " c"]) -> Pairs:
    """All pairs, of values that every entry has; ValueError for others."""
    _check(sums, counts)
    of_entries = influences(sums, counts)
    first, second = np.triu_indices(sums.shape[1], 1)
    means = sums.sum(axis=0) / counts.sum()
    sizes = np.sqrt((sums**2).sum(axis=0))
    moments = [
        _moments(
            of_entries[:, i, None] - of_entries[:, i + 1 :], np.maximum(sizes[i], sizes[i + 1 :])
        )
        for i in range(sums.shape[1])
    ]
    squares, skews = (np.concatenate(parts) for parts in zip(*moments, strict=True))
    differences = means[first] - means[second]
    noise = FLAT * np.maximum(np.abs(means[first]), np.abs(means[second]))
    differences[np.abs(differences) <= noise] = 0.0
    return Pairs(first, second, differences, _errors(squares, counts), skews)


def influences(
    sums: Float64[np.ndarray, "c k"], counts: Int64[np.ndarray, " c"]
) -> Float64[np.ndarray, "c k"]:
    """What each cluster adds to the sum of each entry beyond its number of mean values."""
    return sums - counts[:, None] * (sums.sum(axis=0) / counts.sum())


def statistics(pairs: Pairs) -> Float64[np.ndarray, " p"]:
    """The difference in standard errors; infinite where it does not vary, zero where none is."""
    t = np.copysign(np.inf, pairs.differences)
    np.divide(pairs.differences, pairs.errors, out=t, where=pairs.errors > 0)
    return np.where(pairs.differences == 0, 0.0, t)


def unskewed(
    t: Float64[np.ndarray, " p"], skews: Float64[np.ndarray, " p"], clusters: int
) -> Float64[np.ndarray, " p"]:
    """Hall's monotone transformation of t, which is nearer to Student's distribution."""
    a = skews / np.sqrt(clusters)
    finite = np.where(np.isinf(t), 0.0, t)
    cubic = finite + a * finite**2 / 3 + a**2 * finite**3 / 27 + a / 6
    return np.where(np.isinf(t), t, cubic)


def holm(p: Float64[np.ndarray, "k k"]) -> Float64[np.ndarray, "k k"]:
    """Holm's adjusted p-values (1979) of all pairs; those up to α are told apart at level α."""
    first, second = np.triu_indices(len(p), 1)
    adjusted = np.ones(p.shape)
    adjusted[first, second] = holm_adjusted(p[first, second])
    return np.minimum(adjusted, adjusted.T)


def holm_adjusted(p: Float64[np.ndarray, " m"]) -> Float64[np.ndarray, " m"]:
    """Holm's adjusted p-values (1979) of one family of tests."""
    order = np.argsort(p, kind="stable")
    raised = p[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(p.shape)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1)
    return adjusted


def detectable_difference(
    errors: Float64[np.ndarray, " *shape"], alpha: float = 0.05, power: float = 0.8
) -> Float64[np.ndarray, " *shape"]:
    """The smallest true difference that a two-sided test at level α tells with this power."""
    if not 0 < alpha < power < 1:
        raise ValueError(f"a power of {power} at level {alpha}; 0 < level < power < 1 is needed")
    normal = NormalDist()
    return np.multiply(errors, normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power))


def student_tails(
    t: Float64[np.ndarray, " *shape"], degrees: int
) -> Float64[np.ndarray, " *shape"]:
    """The probability of a Student variable beyond ±t; 1 where there are no degrees of freedom."""
    if degrees < 1:
        return np.ones(t.shape)
    a, b = degrees / 2, 0.5
    ratio = np.minimum(t**2, LARGE) / degrees
    below, above = 1 / (1 + ratio), ratio / (1 + ratio)
    tail = np.zeros(t.shape)
    far = below < (a + 1) / (a + b + 2)
    tail[far] = _incomplete_beta(below[far], above[far], a, b)
    tail[~far] = 1 - _incomplete_beta(above[~far], below[~far], b, a)
    return tail


def _incomplete_beta(
    x: Float64[np.ndarray, " n"], rest: Float64[np.ndarray, " n"], a: float, b: float
) -> Float64[np.ndarray, " n"]:
    """The regularised incomplete beta function at x = 1 − rest, by Lentz's continued fraction."""
    c, d = np.ones(x.shape), 1 / (1 - (a + b) * x / (a + 1))
    value = d.copy()
    for m in range(1, 1000):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            c, d = 1 + step / c, 1 / (1 + step * d)
            value *= c * d
        if np.all(np.abs(c * d - 1) < 1e-15):
            break
    with np.errstate(divide="ignore"):
        front = a * np.log(x) + b * np.log(rest) + lgamma(a + b) - lgamma(a) - lgamma(b)
    return np.exp(front) * value / a


def _moments(
    of_pairs: Float64[np.ndarray, "c p"], sizes: Float64[np.ndarray, " p"]
) -> tuple[Float64[np.ndarray, " p"], Float64[np.ndarray, " p"]]:
    """Sum of squares, zero where it is rounding, and skewness of the columns."""
    roots = np.sqrt(np.einsum("cp,cp->p", of_pairs, of_pairs))
    flat = roots <= FLAT * sizes
    scaled = of_pairs / np.where(flat, 1.0, roots)
    skews = np.sqrt(len(of_pairs)) * np.einsum("cp,cp,cp->p", scaled, scaled, scaled)
    return np.where(flat, 0.0, roots**2), np.where(flat, 0.0, skews)


def _errors(
    squares: Float64[np.ndarray, " p"], counts: Int64[np.ndarray, " c"]
) -> Float64[np.ndarray, " p"]:
    clusters = len(counts)
    if clusters == 1:
        return np.full(squares.shape, np.inf)
    return np.sqrt(squares * clusters / (clusters - 1)) / counts.sum()


def _matrix(
    pairs: Pairs, values: Float64[np.ndarray, " p"], sign: int, k: int
) -> Float64[np.ndarray, "k k"]:
    """The values of the pairs above the diagonal, with this sign below it, and zero on it."""
    full = np.zeros((k, k))
    full[pairs.first, pairs.second] = values
    full[pairs.second, pairs.first] = sign * values
    return full


def _check(sums: Float64[np.ndarray, "c k"], counts: Int64[np.ndarray, " c"]) -> None:
    if not len(sums) or not sums.shape[1]:
        raise ValueError("there is nothing to compare: no clusters or no entries")
    if not np.isfinite(sums).all():
        raise ValueError("sums are NaN or infinite; fill in what an entry leaves out")
    if not (counts > 0).all():
        raise ValueError("each cluster needs its number of cases, which is at least one")
