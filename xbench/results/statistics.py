"""Scores with intervals, and paired comparisons, from case scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float64

from xbench.interfaces.protocol import CaseScores, Direction, Unit
from xbench.interfaces.resampling import Resampling
from xbench.kernels.bootstrap import (
    bootstrap_means,
    pair_totals,
    percentile_interval,
    pigeonhole_means,
    resample_counts,
)
from xbench.randomness import derived_seed
from xbench.results.sample import (
    Sample,
    both_scored,
    clustered,
    same_cases,
    same_first_key,
    same_second_key,
    sample_of,
)

Keys: TypeAlias = "np.ndarray | tuple[np.ndarray, ...]"
"""Names of what is resampled together, by one key or by two."""
METHODS = (
    "percentile bootstrap over cases",
    "percentile bootstrap over clusters",
    "pigeonhole bootstrap over two keys of clusters",
)
"""How an interval is made, by the number of keys that a score's cases are clustered by."""


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
    """How many were scored: cases, or clusters of them; where two keys cross, cases in both."""
    n_unscored: int
    """How many could not be scored in any repeat."""
    deviation: float
    """Standard deviation of the repeats' means; NaN for a single repeat."""
    unit: Unit = "share"
    chance: float | None = None
    """What guessing is expected to score; repeats weigh as much as they scored cases."""
    interval: str = METHODS[0]
    """How the interval was made."""


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
    interval: str = METHODS[0]


class Band(NamedTuple):
    """A curve: means over cases at each of its points, with the intervals of a score."""

    values: Float64[np.ndarray, " points"]
    low: Float64[np.ndarray, " points"]
    high: Float64[np.ndarray, " points"]


def summarised(
    repeats: Sequence[CaseScores], resampling: Resampling, drawn: "Draws | None" = None
) -> Score:
    """The score over all repeats of one entry."""
    sample = sample_of(repeats)
    means = resampled_means(sample, drawn or Draws(resampling))
    low, high = percentile_interval(means, resampling.level)
    first, counts = repeats[0], sample.counts
    return Score(
        name=first.name,
        direction=first.direction,
        headline=first.headline,
        value=sample.mean,
        low=low,
        high=high,
        n=int((counts > 0).sum()),
        n_unscored=int((counts == 0).sum()),
        deviation=_deviation([scores.values for scores in repeats]),
        unit=first.unit,
        chance=_chance(repeats),
        interval=METHODS[len(first.clusters)],
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
    drawn: "Draws | None" = None,
    *,
    apart: bool = False,
) -> Difference:
    """`of` minus `minus`: paired by case where both were scored on the same cases.

    Where two keys cross, cases differ and both have the same clusters of the first (images that
    other participants were asked about), these are resampled together; those of the second too
    where they are the same (each participant met all conditions, each image in one), else apart.
    With `apart` nothing is paired.
    """
    a, b = sample_of(of), sample_of(minus)
    paired, draws = not apart and same_cases(a, b), drawn or Draws(resampling)
    if paired:
        a, b = both_scored(a, b)
        means = resampled_means(a, draws) - resampled_means(b, draws)
    elif not apart and same_first_key(a, b):
        paired, second = True, 1 if same_second_key(a, b) else OTHERS
        means = resampled_means(a, draws) - resampled_means(b, draws, second)
    else:
        other = Draws(Resampling(resampling.level, resampling.resamples, resampling.seed + 1))
        means = resampled_means(a, draws) - resampled_means(b, other)
    low, high = percentile_interval(means, resampling.level)
    value = a.mean - b.mean
    n = min(int((sample.counts > 0).sum()) for sample in (a, b))
    name, unit, method = of[0].name, of[0].unit, METHODS[len(of[0].clusters)]
    return Difference(name, *labels, value, low, high, n, paired, unit, method)


def band(clusters: Keys, values: Float64[np.ndarray, "n points"], draws: "Draws") -> Band:
    """The mean of the cases' curves; all points of a curve are resampled together.

    `clusters` are names of what is resampled together, of the cases themselves or by one or
    two keys. A case that was scored in several repeats stands there as often. NaN where
    nothing could be scored.
    """
    keys = clusters if isinstance(clusters, tuple) else (clusters,)
    sample = clustered(keys, values)
    means = resampled_means(sample, draws)
    ends = [percentile_interval(column, draws.resampling.level) for column in means.T]
    totals = sample.totals
    sums, counts = totals.sums.sum(0), totals.counts.sum(0)
    middle = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    low, high = np.array(ends).reshape(-1, 2).T
    return Band(middle, low, high)


MOST_DRAWS = 2**29
"""Bytes of resamples that are kept; scores of many different sets of cases would fill memory."""


class Draws:
    """The resamples of a run for each number of clusters; those used last are kept."""

    def __init__(self, resampling: Resampling) -> None:
        self.resampling = resampling
        self._drawn: dict[tuple[int, int], np.ndarray] = {}

    def for_clusters(self, clusters: int, key: int = 0) -> np.ndarray:
        """How often each cluster is drawn in each resample; the second key draws for itself."""
        counts = self._drawn.pop((clusters, key), None)
        if counts is None:
            plan = self.resampling
            seed = derived_seed("clusters", plan.seed, key) if key else plan.seed
            counts = resample_counts(clusters, plan.resamples, seed)
        self._drawn[clusters, key] = counts  # the last one now
        while len(self._drawn) > 1 and sum(d.nbytes for d in self._drawn.values()) > MOST_DRAWS:
            del self._drawn[next(iter(self._drawn))]
        return counts


OTHERS = 2
"""The number of draws of a second key that has nothing to do with the one beside it."""


def resampled_means(
    sample: Sample, draws: Draws, second: int = 1
) -> Float64[np.ndarray, " r *columns"]:
    """The mean of each resample of a sample's clusters; the second key has draws of this number."""
    keys, sizes = sample.clusters, [len(key.names) for key in sample.clusters]
    drawn = [draws.for_clusters(size, key) for size, key in zip(sizes, (0, second), strict=False)]
    if len(keys) == 1:
        return bootstrap_means(sample.totals, drawn[0])
    totals = pair_totals(keys[0].places, keys[1].places, sample.values)
    return pigeonhole_means(totals, *drawn)


def scores_by_name(scores: Sequence[CaseScores]) -> Mapping[str, CaseScores]:
    """The scores by their names, in order."""
    return {score.name: score for score in scores}


def _deviation(repeats: Sequence[Float64[np.ndarray, " n"]]) -> float:
    means = [values[~np.isnan(values)].mean() for values in repeats if not np.isnan(values).all()]
    return float(np.std(means, ddof=1)) if len(means) > 1 else float("nan")
