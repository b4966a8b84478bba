"""Samples: the values of a score with what is resampled together, names as places."""

import functools
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from xbench.interfaces.protocol import CaseScores
from xbench.kernels.bootstrap import Totals, cluster_totals
from xbench.kernels.names import Places, name_places


@dataclass(frozen=True, eq=False)
class Sample:
    """The rows of all repeats of a score."""

    cases: Places
    clusters: tuple[Places, ...]
    """By one key or by two; the cases themselves where they are not clustered."""
    values: Float64[np.ndarray, " n *columns"]

    @functools.cached_property
    def totals(self) -> Totals:
        """Sums and counts of the first key's clusters."""
        return cluster_totals(self.clusters[0].places, self.values)

    @property
    def mean(self) -> float:
        """The mean of all values, NaN left out; NaN where there are none."""
        count = self.totals.counts.sum()
        return float(self.totals.sums.sum() / count) if count else float("nan")

    @property
    def counts(self) -> Int64[np.ndarray, " units"]:
        """How many values each cluster has; where two keys cross, each case in its clusters."""
        if len(self.clusters) == 1:
            return self.totals.counts
        units, places = np.unique(self.units, return_inverse=True)
        return np.bincount(places[~np.isnan(self.values)], minlength=len(units))

    @functools.cached_property
    def units(self) -> Int64[np.ndarray, " n"]:
        """A number of each row's case in its clusters: what two samples are paired by."""
        units = self.cases.places
        for key in self.clusters:
            units = units * len(key.names) + key.places
        return units

    def scored(self) -> Int64[np.ndarray, " units"]:
        """Units that have a value."""
        return np.unique(self.units[~np.isnan(self.values)])

    def rows(self, mask: Bool[np.ndarray, " n"]) -> "Sample":
        """These rows; cases and clusters without any are no more there."""
        cases, *clusters = (_used(key, mask) for key in (self.cases, *self.clusters))
        return Sample(cases, tuple(clusters), self.values[mask])


def sample_of(repeats: Sequence[CaseScores]) -> Sample:
    """The values of all repeats, one after the other."""
    cases = joined_places([scores.cases for scores in repeats])
    keys = zip(*(scores.clusters for scores in repeats), strict=True)
    clusters = tuple(joined_places(names) for names in keys)
    values = np.concatenate([scores.values for scores in repeats])
    return Sample(cases, clusters or (cases,), values)


def clustered(keys: Sequence[np.ndarray], values: Float64[np.ndarray, " n *columns"]) -> Sample:
    """Values whose cases nobody asks for."""
    clusters = tuple(map(places_of, keys))
    return Sample(clusters[0], clusters, values)


def same_cases(a: Sample, b: Sample) -> bool:
    """Whether two samples are of the same cases in the same clusters."""
    keys = zip((a.cases, *a.clusters), (b.cases, *b.clusters), strict=False)
    same_names = all(np.array_equal(ours.names, theirs.names) for ours, theirs in keys)
    same = same_names and len(a.clusters) == len(b.clusters)
    return same and np.array_equal(np.unique(a.units), np.unique(b.units))


def same_first_key(a: Sample, b: Sample) -> bool:
    """Whether two samples whose clusters cross have the same ones of the first key."""
    crossed = len(a.clusters) == len(b.clusters) == 2
    return crossed and np.array_equal(a.clusters[0].names, b.clusters[0].names)


def same_second_key(a: Sample, b: Sample) -> bool:
    """Whether two samples whose clusters cross have the same ones of the second key."""
    return np.array_equal(a.clusters[1].names, b.clusters[1].names)


def both_scored(a: Sample, b: Sample) -> tuple[Sample, Sample]:
    """Of two samples of the same cases, the rows of those that both have a value of."""
    units = np.intersect1d(a.scored(), b.scored(), assume_unique=True)
    return a.rows(np.isin(a.units, units)), b.rows(np.isin(b.units, units))


def _used(key: Places, mask: Bool[np.ndarray, " n"]) -> Places:
    used, places = np.unique(key.places[mask], return_inverse=True)
    return Places(key.names[used], places)


def joined_places(columns: Sequence[np.ndarray]) -> Places:
    """The places of several columns, one after the other, among the names of all."""
    parts = [places_of(names) for names in columns]
    if all(np.array_equal(part.names, parts[0].names) for part in parts[1:]):
        return Places(parts[0].names, np.concatenate([part.places for part in parts]))
    every = _named(np.concatenate([part.names for part in parts]))
    ends = np.cumsum([len(part.names) for part in parts])[:-1]
    ranks = np.split(every.places, ends)
    pairs = zip(ranks, parts, strict=True)
    return Places(every.names, np.concatenate([of[part.places] for of, part in pairs]))


_known: dict[int, tuple[weakref.ref[np.ndarray], Places]] = {}


def places_of(names: np.ndarray) -> Places:
    """The places of names; of an array that many scores share, they are found once."""
    array, places = _known.get(id(names), (lambda: None, None))
    if places is None or array() is not names:
        places, key = _named(names), id(names)
        _known[key] = (weakref.ref(names, lambda _: _known.pop(key, None)), places)
    return places


def _named(names: np.ndarray) -> Places:
    """Numbers are sorted as such: what is resampled together may be counted instead of named."""
    if names.dtype.kind in "OU":
        return name_places(names)
    return Places(*np.unique(names, return_inverse=True))
