"""Confidence intervals of ranks, of entries that were scored on the same clusters of cases.

Mogstad, Romano, Shaikh and Wilhelm (2024), Inference for Ranks with Applications to Mobility
across Neighbourhoods and Academic Achievement across Countries, Review of Economic Studies 91.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int8, Int64

from xbench.kernels.bootstrap import resample_counts
from xbench.kernels.paired import Pairs, compared, influences, statistics

LEAST = 0.4
"""A resample's standard error is taken to be at least this part of the error of the data.

Few cases may carry all of a difference; resamples without them would have no error at all, and
one pair of near-equal entries would then keep the others from being told apart.
"""
ROWS = 500
"""Resamples, ..."""
COLUMNS = 256
"""... and pairs that are held in double precision at a time."""
MARGIN = 1e-6
"""A statistic is beyond a critical value if by this part: draws are in single precision."""


class RankRule(NamedTuple):
    """How intervals of ranks are made."""

    level: float = 0.95
    simultaneous: bool = False
    """Whether all intervals hold their ranks at once, or each for itself (marginal)."""
    stepdown: bool = True
    resamples: int = 2000
    seed: int = 0


MARGINAL = RankRule()


class RankIntervals(NamedTuple):
    """Of each entry the rank of its mean, 1 being the best, and its confidence interval."""

    ranks: Int64[np.ndarray, " k"]
    low: Int64[np.ndarray, " k"]
    high: Int64[np.ndarray, " k"]


def rank_intervals(
    sums: Float64[np.ndarray, "c k"],
    counts: Int64[np.ndarray, " c"],
    direction: Literal["higher", "lower"],
    rule: RankRule = MARGINAL,
) -> RankIntervals:
    """Intervals that hold the true rank of an entry, or of all at once, with probability `level`.

    Of entries with equal true means they hold every rank that these may take. `sums` and `counts`
    are of values that every entry has; means are Σ sums / Σ counts, and `direction` is of the
    better ones.
    """
    if not (0 < rule.level < 1 and rule.resamples > 0):
        raise ValueError(f"{rule}: a level between 0 and 1 and at least one resample are needed")
    pairs, sign = compared(sums, counts), 1 if direction == "higher" else -1
    t = sign * statistics(pairs)
    draws = sign * studentised_draws(sums, counts, pairs, rule)
    of_all = decisions(t, draws, rule) if rule.simultaneous else None
    ranks = []
    for entry in range(sums.shape[1]):
        family, signs = _family(pairs, entry)
        own = signs * t[family]
        if of_all is None:
            decided = decisions(own, signs[:, None] * draws[family], rule)
        else:
            decided = signs * of_all[family]
        behind = sign * signs * pairs.differences[family] < 0
        ranks.append(_interval(behind, decided))
    return RankIntervals(*np.array(ranks).T)


def _family(pairs: Pairs, entry: int) -> tuple[Int64[np.ndarray, " p"], Int8[np.ndarray, " p"]]:
    """The pairs of an entry, and the sign that makes each difference its own minus another's."""
    family = np.flatnonzero((pairs.first == entry) | (pairs.second == entry))
    return family, np.where(pairs.first[family] == entry, 1, -1).astype(np.int8)


def _interval(
    behind: Bool[np.ndarray, " p"], decided: Int8[np.ndarray, " p"]
) -> tuple[int, int, int]:
    """Rank, lowest and highest rank of an entry, from what its differences to the others say."""
    better, worse = int((decided < 0).sum()), int((decided > 0).sum())
    return 1 + int(behind.sum()), 1 + better, 1 + len(behind) - worse


def decisions(
    t: Float64[np.ndarray, " p"], draws: Float32[np.ndarray, "p r"], rule: RankRule
) -> Int8[np.ndarray, " p"]:
    """Which differences are above (1) and below (−1) zero, at the level for all together.

    Each difference has two hypotheses, that it is not above and that it is not below zero. With
    `stepdown` those that were rejected leave, and the rest is tested against the maximum of what
    remains (Romano and Wolf 2005), until nothing more is rejected.
    """
    not_above, not_below = np.ones(len(t), bool), np.ones(len(t), bool)
    while True:
        bound = critical_value(draws, not_above, not_below, rule.level) * (1 + MARGIN)
        above, below = not_above & (t > bound), not_below & (-t > bound)
        not_above, not_below = not_above & ~above, not_below & ~below
        if not rule.stepdown or not (above.any() or below.any()):
            return not_below.astype(np.int8) - not_above.astype(np.int8)


def critical_value(
    draws: Float32[np.ndarray, "p r"],
    not_above: Bool[np.ndarray, " p"],
    not_below: Bool[np.ndarray, " p"],
    level: float,
) -> float:
    """What the largest statistic of these hypotheses exceeds with probability 1 − level."""
    resamples = draws.shape[1]
    place = math.ceil(level * (resamples + 1) - MARGIN)
    if place > resamples:
        return math.inf
    largest = np.maximum(
        draws[not_above].max(axis=0, initial=-np.inf),
        -draws[not_below].min(axis=0, initial=np.inf),
    )
    return max(0.0, float(np.partition(largest, place - 1)[place - 1]))


def studentised_draws(
    sums: Float64[np.ndarray, "c k"],
    counts: Int64[np.ndarray, " c"],
    pairs: Pairs,
    rule: RankRule,
) -> Float32[np.ndarray, "p r"]:
    """Of resampled clusters, each pair's difference minus the one found, over its own error."""
    draws = np.zeros((len(pairs.first), rule.resamples), np.float32)
    drawn = resample_counts(len(counts), rule.resamples, rule.seed)
    of_entries = influences(sums, counts)
    for start in range(0, rule.resamples, ROWS):
        weights = drawn[start : start + ROWS].T.astype(np.float64)
        totals = _totals(of_entries, np.asarray(counts, np.float64), weights)
        for pair in range(0, len(pairs.first), COLUMNS):
            columns = slice(pair, pair + COLUMNS)
            draws[columns, start : start + ROWS] = _block(of_entries, totals, pairs, columns)
    return draws


class Totals(NamedTuple):
    """Of each resample: its weights, numbers of cases, and entries' sums of influences."""

    weights: Float64[np.ndarray, "c r"]
    cases: Float64[np.ndarray, " r"]
    squared: Float64[np.ndarray, " r"]
    """Sums of the squared numbers of cases of clusters, ..."""
    sums: Float64[np.ndarray, "k r"]
    products: Float64[np.ndarray, "k r"]
    """... and of the influences times the numbers of cases."""


def _totals(
    of_entries: Float64[np.ndarray, "c k"],
    counts: Float64[np.ndarray, " c"],
    weights: Float64[np.ndarray, "c r"],
) -> Totals:
    return Totals(
        weights,
        counts @ weights,
        counts**2 @ weights,
        of_entries.T @ weights,
        (of_entries * counts[:, None]).T @ weights,
    )


def _block(
    of_entries: Float64[np.ndarray, "c k"], totals: Totals, pairs: Pairs, columns: slice
) -> Float64[np.ndarray, "p r"]:
    """The draws of some pairs: (d* − d) over the standard error of d* in the resample."""
    first, second, errors = pairs.first[columns], pairs.second[columns], pairs.errors[columns]
    change = (totals.sums[first] - totals.sums[second]) / totals.cases
    # Σ w (e − n (d* − d))², e being the influences on d
    squares = ((of_entries[:, first] - of_entries[:, second]) ** 2).T @ totals.weights
    products = totals.products[first] - totals.products[second]
    squares += change * (change * totals.squared - 2 * products)
    varies = (errors > 0) & np.isfinite(errors)
    least = np.where(varies, LEAST * errors, 1.0)[:, None]
    freedom = len(of_entries) / max(1, len(of_entries) - 1)
    error = np.sqrt(np.maximum(squares, 0.0)) * (math.sqrt(freedom) / totals.cases)
    return np.where(varies[:, None], change / np.maximum(error, least), 0.0)
