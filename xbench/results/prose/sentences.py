"""Sentences about where entries stand: made of numbers, with their units and intervals."""

from collections.abc import Callable, Iterator, Sequence

from xbench.interfaces.protocol import Unit
from xbench.results.comparison import Comparison, Verdict
from xbench.results.numbers import (
    counted,
    interval_text,
    listed,
    points,
    signed_interval,
    signed_text,
    spoken,
    value_text,
)
from xbench.results.prose.standing import Standing
from xbench.results.record import DifferenceRecord, Number, ScoreRecord

PAIR = 2
MOST_NAMED = 4
"""How many labels a sentence names."""


def difference_text(difference: DifferenceRecord) -> str:
    """A difference with its interval and its unit, and whether it is of other cases."""
    unit = difference.unit
    ends = signed_interval(difference.low, difference.high, unit)
    text = points(f"{signed_text(difference.value, unit)} {ends}", unit)
    return text if difference.paired else f"{text}, unpaired"


def beside_all(standing: Standing) -> str:
    """Where an entry stands in a score: beside floors, below ceilings, against chance."""
    score = standing.score
    if score.value is None:
        return f"'{standing.label}' has no {score.name}: it could not be computed."
    computed = [one for one in standing.floors if one.verdict != "not computable"]
    floors = _beside_floors(standing) if computed else _alone(standing)
    return " ".join([floors, *_from_ceilings(standing), *_beside_chance(standing)])


def _alone(standing: Standing) -> str:
    score = standing.score
    ends = interval_text(score.low, score.high, score.unit)
    value = f"{spoken(score.value, score.unit)} {ends}"
    return f"In {score.name} '{standing.label}' has {value}, and no floor to compare with."


def _beside_floors(standing: Standing) -> str:
    """The floors that are better, those that are as good, and those that are worse."""
    lost, tied = standing.floors_that("worse"), standing.floors_that("tie")
    beaten, unknown = standing.floors_that("better"), standing.floors_that("not computable")
    parts = [_against("is worse than", standing, lost)] if lost else []
    parts += [_against("ties with", standing, tied)] if tied else []
    if beaten and parts:
        parts.append(f"is better than {len(beaten)} of {counted(len(standing.floors), 'floor')}")
    elif beaten:
        parts.append(_against("is better than", standing, beaten))
    if unknown:
        parts.append(f"cannot be compared with {quoted([one.minus for one in unknown])}")
    return f"In {standing.score.name} '{standing.label}' {'; it '.join(parts)}."


def _against(words: str, standing: Standing, floors: Sequence[Comparison]) -> str:
    """What is said of floors of one verdict: the best of them with its numbers."""
    best, count = floors[0], len(floors)
    other = value_of(standing.others.get(best.minus))
    numbers = beside_value(standing.score.value, other, best.difference)
    if count == 1:
        return f"{words} the floor '{best.minus}' ({numbers})"
    every = f"all {count}" if count == len(standing.floors) > PAIR else f"{count}"
    every = "both" if count == len(standing.floors) == PAIR else every
    return f"{words} {every} floors (the best is '{best.minus}': {numbers})"


def value_of(score: ScoreRecord | None) -> float | None:
    """The score's value, if there is one."""
    return None if score is None else score.value


def beside_value(value: Number, other: Number, difference: DifferenceRecord) -> str:
    """A value, the one it is compared with, and their difference."""
    values = spoken(value, difference.unit), spoken(other, difference.unit)
    return f"{' against '.join(values)}, {difference_text(difference)}"


def _from_ceilings(standing: Standing) -> Iterator[str]:
    """How far ceilings are."""
    for one in standing.ceilings:
        other = standing.others.get(one.minus)
        name = f"the ceiling '{one.minus}' ({spoken(value_of(other), standing.score.unit)})"
        if one.verdict == "worse":
            yield f"It is {_size(one)} away from {name}."
        elif one.verdict == "better":
            yield f"It is better than {name}, which is therefore none."
        elif one.verdict == "tie":
            yield f"It ties with {name}."


def _beside_chance(standing: Standing) -> Iterator[str]:
    """Whether it is told apart from guessing."""
    words: dict[Verdict | None, str] = {
        "better": "better than",
        "worse": "worse than",
        "tie": "not told apart from",
    }
    against, score = standing.against_chance, standing.score
    if against in words:
        yield f"It is {words[against]} chance ({spoken(score.chance, score.unit)})."


def faults(standing: Standing) -> Iterator[str]:
    """What it is bad at in this score: floors or chance that it is not better than."""
    name = standing.score.name
    lost, tied = standing.floors_that("worse"), standing.floors_that("tie")
    if lost:
        yield f"{name}, where the floor '{lost[0].minus}' is better by {_size(lost[0])}"
    elif tied:
        yield f"{name}, where it is no better than the floor '{tied[0].minus}'"
    if standing.against_chance in ("worse", "tie"):
        yield f"{name}, where it is no better than chance"


def _size(comparison: Comparison) -> str:
    of = comparison.difference
    return amount(abs(of.value or 0), of.unit)


def amount(value: float, unit: Unit) -> str:
    """The size of a difference with its unit."""
    return points(value_text(value, unit), unit)


def of_many(standings: Sequence[Standing]) -> Iterator[str]:
    """Where many entries stand in one score: how many are better, and which are not."""
    beside_floors = [one for one in standings if one.floors]
    if beside_floors:
        what = f"all floors beside them in {standings[0].score.name}"
        yield _how_many(beside_floors, what, lambda one: one.beats_floors)
    beside_chance = [one for one in standings if one.against_chance is not None]
    if beside_chance:
        what = f"chance in {standings[0].score.name}"
        yield _how_many(beside_chance, what, lambda one: one.against_chance == "better")


def _how_many(standings: Sequence[Standing], what: str, holds: Callable[[Standing], bool]) -> str:
    """How many entries are better than something, and which are not."""
    if len(standings) == 1:
        return (
            f"'{standings[0].label}' is {'' if holds(standings[0]) else 'not '}better than {what}."
        )
    others = [one.label for one in standings if not holds(one)]
    better = len(standings) - len(others)
    if not others:
        every = "Both" if better == PAIR else f"All {better}"
        return f"{every} entries are better than {what}."
    verb = "is" if better == 1 else "are"
    return f"{better} of {len(standings)} entries {verb} better than {what}; not {quoted(others)}."


def quoted(labels: Sequence[str]) -> str:
    """Some labels as a sentence lists them, and how many more there are."""
    more = len(labels) - MOST_NAMED
    shown = [f"'{label}'" for label in labels[:MOST_NAMED]]
    return listed([*shown, *([f"{more} more"] if more > 0 else [])])
