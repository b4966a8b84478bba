"""Comparisons: an entry's score beside another line's, and what the paired difference says."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from xbench.benchmark.assembly import Benchmark
from xbench.interfaces.protocol import Direction
from xbench.results.record import DifferenceRecord, Record, ScoreRecord

Verdict = Literal["better", "worse", "higher", "lower", "tie", "not computable"]
"""What an interval says of a difference; a tie where it holds 0.

Higher and lower are neither better nor worse: such a score has no direction.
"""
Cells = Mapping[str, Mapping[str, str]]
"""Where lines stand in a grid, by label."""


class Comparison(NamedTuple):
    """An entry beside another line of its benchmark in one score."""

    of: str
    difference: DifferenceRecord
    direction: Direction

    @property
    def minus(self) -> str:
        """The label of the other line."""
        return self.difference.minus

    @property
    def verdict(self) -> Verdict:
        """Whether the entry is better than the other, worse, or not told apart from it."""
        return verdict(self.difference.low, self.difference.high, 0, self.direction)


def verdict(low: float | None, high: float | None, than: float, direction: Direction) -> Verdict:
    """What an interval says of a value, or of a difference, that is compared with a number."""
    if low is None or high is None:
        return "not computable"
    if low <= than <= high:
        return "tie"
    if direction == "none":
        return "higher" if low > than else "lower"
    return "better" if (low > than) == (direction == "higher") else "worse"


def score_of(record: Record, name: str) -> ScoreRecord | None:
    """The record's score of this name."""
    return next((score for score in record.scores if score.name == name), None)


def family_of(name: str) -> str:
    """What a score measures: its name up to its `@`, without `average`."""
    return name.partition("@")[0].removeprefix("average ")


def headlines(records: Sequence[Record]) -> list[str]:
    """Names of the scores that decide comparisons, family by family, the one that ranks first."""
    scores = [score for record in records for score in record.scores]
    ranking = (score.name for score in scores if score.ranking)
    names = dict.fromkeys((*ranking, *(score.name for score in scores if score.headline)))
    families = list(dict.fromkeys(map(family_of, names)))
    return sorted(names, key=lambda name: families.index(family_of(name)))


def every_comparison(record: Record) -> Iterator[Comparison]:
    """All differences of an entry, each with the direction of its score."""
    for difference in record.differences:
        score = score_of(record, difference.score)
        yield Comparison(record.label, difference, score.direction if score else "higher")


def comparisons(benchmark: Benchmark, records: Sequence[Record]) -> list[Comparison]:
    """Each entry beside the others; of a grid only those that differ on one axis.

    A floor that stands beside one entry is compared with that one alone, and what two entries
    have in common is told once.
    """
    cells: Cells = {line.label: line.cell for line in benchmark.lines}
    entries = [record for record in records if record.role == "entry"]
    labels = [record.label for record in entries]
    of_grid = {label for label in labels if cells.get(label)}
    return [
        comparison
        for place, record in enumerate(entries)
        for comparison in every_comparison(record)
        if not _told_before(comparison, entries[:place])
        and not of_another(comparison.minus, record.label, labels)
        and _are_near(record.label, comparison.minus, cells, of_grid)
    ]


def winning_floors(
    compared: Sequence[Comparison], records: Sequence[Record]
) -> set[tuple[str, str]]:
    """Label and score of each floor that an entry is worse than."""
    floors = {record.label for record in records if record.role == "floor"}
    return {
        (one.minus, one.difference.score)
        for one in compared
        if one.verdict == "worse" and one.minus in floors
    }


def of_another(label: str, own: str, entries: Sequence[str]) -> bool:
    """Whether a floor or ceiling stands beside another entry than `own`."""
    beside = label.partition(": ")[2]
    return beside in entries and beside != own


def _are_near(label: str, other: str, cells: Cells, of_grid: Collection[str]) -> bool:
    """Whether cells differ on one axis at most, a floor and the cell it stands beside on none."""
    one, two = cells.get(label, {}), cells.get(other, {})
    apart = sum(one[axis] != two[axis] for axis in one.keys() & two.keys())
    return apart <= (other in of_grid)


def _told_before(comparison: Comparison, before: Sequence[Record]) -> bool:
    """Whether a record that stands before has the same difference the other way round."""
    return any(
        (other.score, other.minus) == (comparison.difference.score, comparison.of)
        for record in before
        if record.label == comparison.minus
        for other in record.differences
    )
