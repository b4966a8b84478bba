"""Standings: where one entry stands in one score against floors, ceilings and chance."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from xbench.results.comparison import (
    Comparison,
    Verdict,
    every_comparison,
    of_another,
    score_of,
    verdict,
)
from xbench.results.record import Record, ScoreRecord


class Standing(NamedTuple):
    """An entry in one score, beside what stands for the worst and the best there is."""

    label: str
    score: ScoreRecord
    floors: tuple[Comparison, ...]
    """The best floor first."""
    ceilings: tuple[Comparison, ...]
    others: Mapping[str, ScoreRecord | None]
    """The score of every line, by label."""

    def floors_that(self, word: Verdict) -> list[Comparison]:
        """The floors of this verdict on the entry, the best floor first."""
        return [one for one in self.floors if one.verdict == word]

    @property
    def against_chance(self) -> Verdict | None:
        """What its interval says of the value that guessing gives; None where that is unknown."""
        score = self.score
        if score.chance is None:
            return None
        return verdict(score.low, score.high, score.chance, score.direction)

    @property
    def beats_floors(self) -> bool:
        """Whether it is better than every floor."""
        return all(one.verdict == "better" for one in self.floors)


def standing(record: Record, name: str, records: Sequence[Record]) -> Standing | None:
    """Where the entry stands in the score of this name; None where it does not have it."""
    score = score_of(record, name)
    if score is None:
        return None
    entries = [of.label for of in records if of.role == "entry"]
    beside = [of for of in records if not of_another(of.label, record.label, entries)]
    roles = {of.label: of.role for of in beside}
    others = {of.label: score_of(of, name) for of in beside}
    compared = sorted(
        (one for one in every_comparison(record) if one.difference.score == name),
        key=lambda one: _rank(others.get(one.minus)),
    )
    floors, ceilings = (
        tuple(one for one in compared if roles.get(one.minus) == role)
        for role in ("floor", "ceiling")
    )
    return Standing(record.label, score, floors, ceilings, others)


def _rank(score: ScoreRecord | None) -> float:
    """Smaller for better values; those without one come last."""
    if score is None or score.value is None:
        return float("inf")
    return score.value if score.direction == "lower" else -score.value
