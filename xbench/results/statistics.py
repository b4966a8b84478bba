"""Scores with intervals, and paired comparisons, from case scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from xbench.interfaces.protocol import CaseScores, Unit
from xbench.interfaces.resampling import Resampling
from xbench.kernels.bootstrap import (
    Totals,
    bootstrap_means,
    cluster_totals,
    percentile_interval,
    resample_counts,
)

Direction = Literal["higher", "lower"]


@dataclass(frozen=True)
class Score:
    """A mean over cases with its bootstrap interval; NaN where nothing could be scored."""

    name: str
    direction: Direction
    headline: bool
    value: float
    low: float
    high: float
    n: int
    """Distinct cases that were scored."""
    n_unscored: int
    """Distinct cases that could not be scored in any repeat."""
    deviation: float
    """Standard deviation of the repeats' means; NaN for a single repeat."""
    unit: Unit = "share"
    chance: float | None = None
    """What guessing is expected to score; repeats weigh as much as they scored cases."""


@dataclass(frozen=True)
class Difference:
    """One entry's score minus another's on the cases that both scored."""

    score: str
    of: str
    minus: str
    value: float
    low: float
    high: float
    n: int
    paired: bool
    """False where the entries' cases differ: then both are resampled independently."""
    unit: Unit = "share"


class Band(NamedTuple):
    """A curve: means over cases at each of its points, with the intervals of a score."""

    values: Float64[np.ndarray, " points"]
    low: Float64[np.ndarray, " points"]
    high: Float64[np.ndarray, " points"]


def summarised(
    repeats: Sequence[CaseScores], resampling: Resampling, drawn: "Draws | None" = None
) -> Score:
    """The score over all repeats of one entry."""
    totals = pooled(repeats)
    means = bootstrap_means(totals, (drawn or Draws(resampling)).for_clusters(len(totals.clusters)))
    low, high = percentile_interval(means, resampling.level)
    first = repeats[0]
    return Score(
        name=first.name,
        direction=first.direction,
        headline=first.headline,
        value=_ratio(totals),
        low=low,
        high=high,
        n=int((totals.counts > 0).sum()),
        n_unscored=int((totals.counts == 0).sum()),
        deviation=_deviation([scores.values for scores in repeats]),
        unit=first.unit,
        chance=_chance(repeats),
    )


def _chance(repeats: Sequence[CaseScores]) -> float | None:
    known = [
        (scores.chance, np.count_nonzero(~np.isnan(scores.values)))
        for scores in repeats
        if scores.chance is not None
    ]
    if not known:
        return None
    chances, scored = zip(*known, strict=True)
    return float(np.average(chances, weights=scored if any(scored) else None))


def difference(
    labels: tuple[str, str],
    of: Sequence[CaseScores],
    minus: Sequence[CaseScores],
    resampling: Resampling,
) -> Difference:
    """`of` minus `minus`: paired by case where both were scored on the same cases."""
    a, b = pooled(of), pooled(minus)
    paired = bool(np.array_equal(a.clusters, b.clusters))
    draws = Draws(resampling)
    if paired:
        a, b = _both_scored(a, b)
        counts = draws.for_clusters(len(a.clusters))
        means = bootstrap_means(a, counts) - bootstrap_means(b, counts)
    else:
        other = Draws(Resampling(resampling.level, resampling.resamples, resampling.seed + 1))
        means = bootstrap_means(a, draws.for_clusters(len(a.clusters)))
        means = means - bootstrap_means(b, other.for_clusters(len(b.clusters)))
    low, high = percentile_interval(means, resampling.level)
    value, n = _ratio(a) - _ratio(b), int(min((a.counts > 0).sum(), (b.counts > 0).sum()))
    name, unit = of[0].name, of[0].unit
    return Difference(name, labels[0], labels[1], value, low, high, n, paired, unit)


def band(
    cases: Int64[np.ndarray, " n"], values: Float64[np.ndarray, "n points"], draws: "Draws"
) -> Band:
    """The mean of the cases' curves; all points of a curve are resampled together.

    A case that was scored in several repeats stands there as often. NaN where nothing
    could be scored.
    """
    totals = cluster_totals(cases, values)
    means = bootstrap_means(totals, draws.for_clusters(len(totals.clusters)))
    ends = [percentile_interval(column, draws.resampling.level) for column in means.T]
    sums, counts = totals.sums.sum(0), totals.counts.sum(0)
    middle = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    low, high = np.array(ends).reshape(-1, 2).T
    return Band(middle, low, high)


def pooled(repeats: Sequence[CaseScores]) -> Totals:
    """Totals per case over all repeats: all rows of a case move together."""
    cases = np.concatenate([scores.cases for scores in repeats])
    values = np.concatenate([scores.values for scores in repeats])
    return cluster_totals(cases, values)


MOST_DRAWS = 2**29
"""Bytes of resamples that are kept; scores of many different sets of cases would fill memory."""


class Draws:
    """The resamples of a run for each number of clusters; those used last are kept."""

    def __init__(self, resampling: Resampling) -> None:
        self.resampling = resampling
        self._drawn: dict[int, np.ndarray] = {}

    def for_clusters(self, clusters: int) -> np.ndarray:
        """How often each cluster is drawn in each resample."""
        counts = self._drawn.pop(clusters, None)
        if counts is None:
            plan = self.resampling
            counts = resample_counts(clusters, plan.resamples, plan.seed)
        self._drawn[clusters] = counts  # the last one now
        while len(self._drawn) > 1 and sum(d.nbytes for d in self._drawn.values()) > MOST_DRAWS:
            del self._drawn[next(iter(self._drawn))]
        return counts


def scores_by_name(scores: Sequence[CaseScores]) -> Mapping[str, CaseScores]:
    """The scores by their names, in order."""
    return {score.name: score for score in scores}


def _ratio(totals: Totals) -> float:
    count = totals.counts.sum()
    return float(totals.sums.sum() / count) if count else float("nan")


def _both_scored(a: Totals, b: Totals) -> tuple[Totals, Totals]:
    keep = (a.counts > 0) & (b.counts > 0)
    return _kept(a, keep), _kept(b, keep)


def _kept(totals: Totals, keep: np.ndarray) -> Totals:
    return Totals(totals.clusters[keep], totals.sums[keep], totals.counts[keep])


def _deviation(repeats: Sequence[Float64[np.ndarray, " n"]]) -> float:
    means = [values[~np.isnan(values)].mean() for values in repeats if not np.isnan(values).all()]
    return float(np.std(means, ddof=1)) if len(means) > 1 else float("nan")
