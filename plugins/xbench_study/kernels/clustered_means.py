"""Means of groups of answers, with intervals that are clustered by image and participant."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from xbench import Draws
from xbench.kernels import pair_totals, percentile_interval, pigeonhole_means

WEIGHTS = 2**22
"""So many weights are held at a time, at most."""


class Estimate(NamedTuple):
    """A value and its interval; NaN where there is nothing."""

    value: float
    low: float
    high: float


class GroupMeans(NamedTuple):
    """The mean of each group of answers, as it was and in each resample."""

    values: Float64[np.ndarray, " g"]
    answers: Int64[np.ndarray, " g"]
    resampled: Float64[np.ndarray, "r g"]
    level: float

    def estimate(self, group: int) -> Estimate:
        """The mean of a group."""
        return self.combination(np.eye(len(self.values))[group])

    def difference(self, first: int, second: int) -> Estimate:
        """The mean of one group minus that of another."""
        unit = np.eye(len(self.values))
        return self.combination(unit[first] - unit[second])

    def combination(self, weights: Float64[np.ndarray, " g"]) -> Estimate:
        """A weighted sum of means; groups of weight 0 need no answers."""
        used = weights != 0
        value = float(self.values[used] @ weights[used])
        resampled = self.resampled[:, used] @ weights[used]
        return Estimate(value, *percentile_interval(resampled, self.level))


def group_means(
    images: Int64[np.ndarray, " n"],
    participants: Int64[np.ndarray, " n"],
    values: Float64[np.ndarray, " n"],
    groups: Int64[np.ndarray, " n"],
    count: int,
    draws: Draws,
) -> GroupMeans:
    """The means of `count` groups; answers that are NaN, or of group −1, are in none.

    Images and participants are resampled, both at once: the pigeonhole bootstrap (Owen 2007).
    Groups may share images and participants, or not: between and within subjects alike.
    """
    columns = np.full((len(values), count), np.nan)
    inside = groups >= 0
    columns[inside, groups[inside]] = values[inside]
    (_, image), (_, person) = (
        np.unique(key, return_inverse=True) for key in (images, participants)
    )
    totals = pair_totals(image, person, columns)
    counts = [int(places.max(initial=-1)) + 1 for places in (image, person)]
    drawn = [draws.for_clusters(n, key) for key, n in enumerate(counts)]
    sums, answers = totals.sums.sum(0), totals.counts.sum(0)
    means = np.divide(sums, answers, out=np.full(count, np.nan), where=answers > 0)
    resampled = pigeonhole_means(totals, drawn[0], drawn[1])
    return GroupMeans(means, answers, resampled, draws.resampling.level)


def dyad_means(
    images: Int64[np.ndarray, " n"],
    people: Int64[np.ndarray, "n 2"],
    values: Float64[np.ndarray, " n"],
    groups: Int64[np.ndarray, " n"],
    count: int,
    draws: Draws,
) -> GroupMeans:
    """The means of `count` groups of pairs of people, each pair about an image.

    Images and people are resampled, both at once; a pair counts as often as its image, its first
    and its second person are drawn, multiplied. Nobody makes a pair with themself.
    """
    _, image = np.unique(images, return_inverse=True)
    _, person = np.unique(people, return_inverse=True)
    person = person.reshape(people.shape)
    inside = groups[:, None] == np.arange(count)
    parts = np.hstack([values[:, None] * inside, inside]).astype(np.float64)
    drawn = [
        draws.for_clusters(int(places.max(initial=-1)) + 1, key)
        for key, places in enumerate((image, person))
    ]
    totals = np.zeros((draws.resampling.resamples, 2 * count))
    rows = max(1, WEIGHTS // max(1, len(values)))
    for start in range(0, len(totals), rows):
        first, second = (of[start : start + rows].astype(np.float64) for of in drawn)
        weights = first[:, image] * second[:, person[:, 0]] * second[:, person[:, 1]]
        totals[start : start + rows] = weights @ parts
    whole = parts.sum(0)
    answers = whole[count:].astype(np.int64)
    return GroupMeans(_means(whole), answers, _means(totals), draws.resampling.level)


def _means(totals: Float64[np.ndarray, " *r columns"]) -> Float64[np.ndarray, " *r g"]:
    """Sums, then numbers of pairs: the former by the latter, NaN where there is none."""
    sums, pairs = np.split(totals, 2, axis=-1)
    return np.divide(sums, pairs, out=np.full(sums.shape, np.nan), where=pairs > 0)
