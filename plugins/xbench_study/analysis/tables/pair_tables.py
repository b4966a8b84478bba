"""Agreement on pairs of options: of people with each other, and with the algorithm."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64

from xbench import Draws, band
from xbench.commands import Row, Table
from xbench_study.analysis.answers import Answers
from xbench_study.analysis.cells import DASH, points_cell, share_cell
from xbench_study.kernels.clustered_means import Estimate, GroupMeans, dyad_means, group_means
from xbench_study.kernels.pair_agreement import (
    UNSURE,
    Majorities,
    agreements,
    chance,
    majorities,
    pair_numbers,
)

COLUMNS = ("", "same pair", "items with a majority", "algorithm's pair", "majority's is it")
LEGEND = (
    "Same pair: of two people asked about one item. Intervals: images and participants resampled, "
    "both at once; of majorities: items."
)


@dataclass(frozen=True, eq=False)
class NamedPairs:
    """The answers of a study in which two options are chosen."""

    answers: Answers
    conditions: tuple[str, ...]
    draws: Draws
    unsure: bool = True
    """Whether "don't know" counts as disagreement; else it is left out."""

    @cached_property
    def pairs(self) -> Int64[np.ndarray, " n"]:
        """A number for the pair that each answer names; −1 for "don't know"."""
        keys = {key for chosen in self.answers.chosen for key in chosen}
        places = {key: place for place, key in enumerate(sorted(keys))}
        named = [
            [places[key] for key in chosen] if len(chosen) == 2 else [UNSURE, UNSURE]
            for chosen in self.answers.chosen
        ]
        first, second = np.array(named, dtype=np.int64).reshape(-1, 2).T
        return pair_numbers(first, second, len(places))

    @cached_property
    def _groups(self) -> Int64[np.ndarray, " n"]:
        places = {name: place for place, name in enumerate(self.conditions)}
        return np.array([places.get(of, -1) for of in self.answers.conditions], dtype=np.int64)

    @cached_property
    def _people(self) -> Int64[np.ndarray, " n"]:
        return np.unique(self.answers.participants, return_inverse=True)[1]

    @cached_property
    def _items(self) -> Int64[np.ndarray, " n"]:
        """A number for each item in each condition."""
        items = np.unique(self.answers.items, return_inverse=True)[1]
        return items * (len(self.conditions) + 1) + self._groups + 1

    @cached_property
    def same(self) -> GroupMeans:
        """How often two people name the same pair, by condition."""
        of = agreements(self._items, self.pairs, with_unsure=self.unsure)
        first = of.answers[:, 0]
        images, groups = self.answers.images[first], self._groups[first]
        people, agree = self._people[of.answers], of.agree.astype(np.float64)
        return dyad_means(images, people, agree, groups, len(self.conditions), self.draws)

    @cached_property
    def algorithm(self) -> GroupMeans:
        """How often people name the algorithm's pair, by condition."""
        right = np.nan_to_num(self.answers.right)
        return self._means(np.where((self.pairs == UNSURE) & (not self.unsure), np.nan, right))

    @cached_property
    def unknown(self) -> GroupMeans:
        """How often people do not know, by condition."""
        return self._means((self.pairs == UNSURE).astype(np.float64))

    def _means(self, values: np.ndarray) -> GroupMeans:
        count = len(self.conditions)
        images = self.answers.images
        return group_means(images, self._people, values, self._groups, count, self.draws)

    def majorities(self, condition: int) -> tuple[Estimate, Estimate]:
        """The share of items with a majority, and of those where it names the algorithm's pair."""
        own = self._groups == condition
        items, pairs, right = self._items[own], self.pairs[own], self.answers.right[own] == 1
        most = majorities(items, pairs, with_unsure=self.unsure)
        named = set(zip(items[right].tolist(), pairs[right].tolist(), strict=True))
        algorithm = [of in named for of in zip(*(m.tolist() for m in most), strict=True)]
        return self._share(most, most.pairs != UNSURE), self._share(most, np.array(algorithm))

    def _share(self, of: Majorities, values: np.ndarray) -> Estimate:
        if not len(values):
            return Estimate(*[float("nan")] * 3)
        says = band(of.items, values.astype(np.float64)[:, None], self.draws)
        return Estimate(*(float(part[0]) for part in says))


def pair_table(
    answers: Answers, conditions: Mapping[str, str], options: int, draws: Draws, *, unsure: bool
) -> Table:
    """Agreement on pairs by condition (name → title), and what is between conditions."""
    of = NamedPairs(answers, tuple(conditions), draws, unsure)
    titles = list(conditions.values())
    how = '"don\'t know" is disagreement' if unsure else '"don\'t know" left out'
    title = f"Agreement on pairs in per cent, {how}; by chance {100 * chance(options):.0f}"
    columns = (*COLUMNS, "don't know") if unsure else COLUMNS
    rows = (*_rows(of, titles), *_difference_rows(of, titles))
    return Table(title, columns, rows, LEGEND)


def _rows(of: NamedPairs, titles: list[str]) -> Iterator[Row]:
    for place, title in enumerate(titles):
        majority, algorithm = of.majorities(place)
        same, right = (means.estimate(place) for means in (of.same, of.algorithm))
        shares = [same, majority, right, algorithm]
        shares += [of.unknown.estimate(place)] if of.unsure else []
        yield Row(title, tuple(map(share_cell, shares)))


def _difference_rows(of: NamedPairs, titles: list[str]) -> Iterator[Row]:
    """Each condition but the last minus the last, in percentage points."""
    last = len(titles) - 1
    for place in range(last):
        same, right, unknown = (
            points_cell(means.difference(place, last))
            for means in (of.same, of.algorithm, of.unknown)
        )
        cells = (same, DASH, right, DASH, *([unknown] if of.unsure else []))
        yield Row(f"{titles[place]} − {titles[last]} (points)", cells)


def pair_conclusion(answers: Answers, conditions: Mapping[str, str], draws: Draws, who: str) -> str:
    """Whether people name the algorithm's pair, and each other's, more often in a condition."""
    of, titles = NamedPairs(answers, tuple(conditions), draws), list(conditions.values())
    last, level = len(titles) - 1, f"{100 * draws.resampling.level:.0f} %"
    return " ".join(
        f"{_verdict(of, place, titles, who)}: {points_cell(of.algorithm.difference(place, last))} "
        "points. How often two of them name the same pair differs by "
        f"{points_cell(of.same.difference(place, last))} points. ({level} intervals, images and "
        "participants resampled; “don't know” is disagreement.)"
        for place in range(last)
    )


def _verdict(of: NamedPairs, place: int, titles: list[str], who: str) -> str:
    difference = of.algorithm.difference(place, len(titles) - 1)
    first, second = titles[place], titles[-1]
    if difference.low > 0 or difference.high < 0:
        word = "more" if difference.value > 0 else "less"
        return f"{who} name the algorithm's pair {word} often under “{first}” than under “{second}”"
    return (
        f"“{first}” and “{second}” are not shown to differ in the algorithm's pair ({who.lower()})"
    )
