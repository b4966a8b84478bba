"""The lines of a ranking: values, ranks and letters of entries on the same cases."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from xbench.kernels.bootstrap import (
    Totals,
    bootstrap_means,
    percentile_interval,
    resample_counts,
)
from xbench.kernels.letters import compact_letters
from xbench.kernels.paired import detectable_difference, holm, paired_tests
from xbench.kernels.ranks import RankIntervals, RankRule, rank_intervals
from xbench.results.board.events import FreshCheck
from xbench.results.board.standings.filled import Filled
from xbench.results.board.standings.ranking import Better, Drop, Line, better
from xbench.results.board.standings.submitted import Submitted, shown_labels
from xbench.results.record import Number, ScoreRecord, number

ALPHA = 0.05
"""Level of all tests."""
ROLES = ("entry", "floor", "ceiling")
"""In the order in which a table has them."""
ROUNDING = 1e-12
"""Means that differ by a smaller part of themselves are equal."""


def in_order(entries: Sequence[Submitted]) -> list[Submitted]:
    """By role, those that are ranked first, and by name."""
    return sorted(entries, key=lambda one: (ROLES.index(one.role), one.name))


def lines(
    entries: Sequence[Submitted], values: Filled, score: ScoreRecord, rule: RankRule
) -> tuple[Line, ...]:
    """A line for each of the entries, which are `in_order`; in each role the best first."""
    plain = _plain_lines(entries, values, score, rule)
    direction = better(score)
    order = _order(plain, direction)
    if values.cases:
        plain = _with_floors(plain, order, values, direction)
        plain = _with_ranks(plain, order, values, direction, rule)
    return tuple(plain[place] for place in order)


def _plain_lines(
    entries: Sequence[Submitted], values: Filled, score: ScoreRecord, rule: RankRule
) -> list[Line]:
    """What can be said of each entry alone."""
    shown, intervals = shown_labels(entries), _intervals(values, rule)
    return [
        Line(
            name=one.name,
            key=one.entry.key,
            label=one.record.label,
            shown=shown[one.name],
            role=one.role,
            value=value,
            low=low,
            high=high,
            left_out=int(left_out),
            passes=sum(one.record.cost.passes.values()),
            seconds=number(sum(one.record.times.seconds.values())),
            superseded=len(one.entry.superseded),
            tuned_on=tuple(one.submission.manifest.declarations.tuned_on),
            configurations_tried=one.submission.manifest.declarations.configurations_tried,
            fresh=_drop(one.entry.fresh, score.name),
            unchecked=one.entry.unchecked,
        )
        for one, (value, low, high), left_out in zip(entries, intervals, values.filled, strict=True)
    ]


def _drop(checks: Sequence[FreshCheck], score: str) -> Drop | None:
    """The last check of this score, or of any."""
    of_score = [one for one in checks if one.score == score] or checks
    return next((Drop(one.drop, one.low, one.high, one.score) for one in of_score[::-1]), None)


def _intervals(values: Filled, rule: RankRule) -> list[tuple[Number, Number, Number]]:
    """Of each entry the mean over all cases, and its percentile interval over clusters."""
    if not values.cases:
        return [(None, None, None)] * values.values.shape[1]
    sums, clusters = values.sums, len(values.counts)
    counts = np.broadcast_to(values.counts[:, None], sums.shape)
    drawn = resample_counts(clusters, rule.resamples, rule.seed)
    means = bootstrap_means(Totals(np.arange(clusters), sums, counts), drawn)
    ends = (percentile_interval(column, rule.level) for column in means.T)
    whole = sums.sum(axis=0) / counts.sum(axis=0)
    return [
        (float(mean), number(low), number(high))
        for mean, (low, high) in zip(whole, ends, strict=True)
    ]


def _order(plain: Sequence[Line], direction: Better) -> list[int]:
    """The places of the lines as a table has them; equal ones stay as they are."""
    sign = -1 if direction == "higher" else 1

    def place(number: int) -> tuple[int, float]:
        line = plain[number]
        return ROLES.index(line.role), math.inf if line.value is None else sign * line.value

    return sorted(range(len(plain)), key=place)


def _with_floors(
    plain: Sequence[Line], order: Sequence[int], values: Filled, direction: Better
) -> list[Line]:
    """The lines, the ranked ones with the floors that are better, each tested for itself."""
    tests, sign = paired_tests(values.sums, values.counts), 1 if direction == "higher" else -1
    better = (tests.p <= ALPHA) & (sign * tests.differences > 0)
    floors = [place for place in order if plain[place].role == "floor"]
    return [
        replace(
            line, beaten_by=tuple(plain[floor].name for floor in floors if better[floor, place])
        )
        if line.role == "entry"
        else line
        for place, line in enumerate(plain)
    ]


class Places(NamedTuple):
    """Where the ranked entries stand among themselves."""

    intervals: RankIntervals
    letters: Sequence[tuple[str, ...]]
    told: Bool[np.ndarray, "k k"]
    """Who is told apart from whom."""
    by_network: Sequence[tuple[int | None, ...]]


def _with_ranks(
    plain: Sequence[Line],
    order: Sequence[int],
    values: Filled,
    direction: Better,
    rule: RankRule,
) -> list[Line]:
    """The lines, those of ranked entries with their ranks and what is known of these."""
    count = sum(line.role == "entry" for line in plain)
    if not count:
        return list(plain)
    best_first = np.array([place for place in order if place < count])
    places = _places(values.of(count), direction, best_first, rule)
    return [
        replace(line, **_fields(places, place, [plain[i].name for i in best_first], best_first))
        if place < count
        else line
        for place, line in enumerate(plain)
    ]


def _fields(
    places: Places, place: int, names: Sequence[str], best_first: Int64[np.ndarray, " k"]
) -> dict[str, Any]:
    ranks = places.intervals
    others = zip(names, best_first.tolist(), strict=True)
    alike = (name for name, other in others if other != place and not places.told[place, other])
    return {
        "rank": int(ranks.ranks[place]),
        "rank_low": int(ranks.low[place]),
        "rank_high": int(ranks.high[place]),
        "letters": places.letters[place],
        "not_distinguished": tuple(alike),
        "by_network": places.by_network[place],
    }


def _places(
    values: Filled, direction: Better, best_first: Int64[np.ndarray, " k"], rule: RankRule
) -> Places:
    by_network = list(zip(*_by_network(values, direction), strict=True))
    sums, counts = values.sums, values.counts
    if len(best_first) == 1:
        alone = np.ones(1, np.int64)
        return Places(RankIntervals(alone, alone, alone), [()], np.zeros((1, 1), bool), by_network)
    told = holm(paired_tests(sums, counts).p) <= ALPHA
    intervals = rank_intervals(sums, counts, direction, rule)
    return Places(intervals, compact_letters(told, best_first), told, by_network)


def _by_network(values: Filled, direction: Better) -> Iterator[list[int | None]]:
    """Of each network, the ranks of all entries by their means on it alone."""
    counts = np.bincount(values.repeats, minlength=values.networks)
    sums = np.zeros((values.networks, values.values.shape[1]))
    np.add.at(sums, values.repeats, values.values)
    for total, count in zip(sums, counts.tolist(), strict=True):
        yield point_ranks(total / count, direction) if count else [None] * len(total)


def point_ranks(means: Float64[np.ndarray, " k"], direction: Better) -> list[int | None]:
    """One more than how many are better, rounding aside."""
    gains = (1 if direction == "higher" else -1) * (means[None, :] - means[:, None])
    noise = ROUNDING * np.maximum(np.abs(means[None, :]), np.abs(means[:, None]))
    return [1 + int(better) for better in (gains > noise).sum(axis=1)]


def told_difference(entries: Sequence[Submitted], values: Filled) -> Number:
    """The median, over all pairs of ranked entries, of the difference that could be told."""
    count = sum(one.ranked for one in entries)
    if count < 2 or not values.cases:
        return None
    ranked = values.of(count)
    errors = paired_tests(ranked.sums, ranked.counts).errors
    return number(float(np.median(detectable_difference(errors[np.triu_indices(count, 1)]))))
