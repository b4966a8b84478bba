"""Ranks of the entries of several benchmarks side by side, from their scores case by case."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from xbench.errors import MismatchError
from xbench.kernels.ranks import RankRule, rank_intervals
from xbench.results.board.standings.filled import Filled, filled
from xbench.results.board.standings.ranking import Better, better
from xbench.results.numbers import NONE, level_text
from xbench.results.record import Record, ScoreRecord
from xbench.results.stored.pairing import Judged
from xbench.results.tables import Row, Table

LEAST = 2
"""Entries that can be ranked."""

RANK = (
    "rank: that of the mean among its column's entries, 1 the best; floors and ceilings have none"
)
LEFT_OUT = "a case that an entry has no value of counts as the worst"
NO_AVERAGE = "no average over columns: benchmarks ask different questions"


class Rank(NamedTuple):
    """The rank of an entry's mean, 1 being the best, and the ends of its interval."""

    rank: int
    low: int
    high: int

    @property
    def cell(self) -> str:
        """The rank, and its interval below it."""
        return f"{self.rank}\n{self.low}–{self.high}"


class Ranked(NamedTuple):
    """The entries of one benchmark by the score that ranks them."""

    benchmark: str
    score: str
    level: float
    """Of the intervals."""
    ranks: Mapping[str, Rank]
    """By label."""
    left_out: bool
    """Whether an entry has no value of a case that another one has."""


def rank_table(title: str, runs: Sequence[Sequence[Judged]]) -> Table | None:
    """Each entry's rank in each benchmark that ranks several, with its interval; never an average.

    None where no benchmark does: entries are ranked by a score with a direction, floors and
    ceilings not at all.
    """
    columns = [one for run in runs if (one := ranked(run)) is not None]
    if not columns:
        return None
    heads = (f"{one.benchmark}: {one.score}, {len(one.ranks)} entries" for one in columns)
    labels = dict.fromkeys(label for one in columns for label in one.ranks)
    cells = {label: tuple(_cell(one.ranks.get(label)) for one in columns) for label in labels}
    rows = tuple(Row(label, of) for label, of in cells.items())
    level = level_text(columns[0].level)
    return Table(f"{title}: ranks, with {level} intervals", ("", *heads), rows, _legend(columns))


def ranked(run: Sequence[Judged]) -> Ranked | None:
    """The ranks of a run's entries; None where fewer than two can be ranked.

    A case that one has no value of counts as the worst, as on a leaderboard.
    """
    scored = [(of, score) for of in run if (score := _ranking(of)) is not None]
    tables = {of.record.label: of.scores for of, own in scored if own.name == scored[0][1].name}
    if len(tables) < LEAST:
        return None
    (of, score), *_ = scored
    try:
        return _ranked(of.record, score, filled(tables, score, len(of.record.rows)), list(tables))
    except MismatchError:
        return None


def _ranked(record: Record, score: ScoreRecord, values: Filled, labels: Sequence[str]) -> Ranked:
    """The ranks of these entries by their values, as the record of one of them makes intervals."""
    level, left_out = record.intervals.level, bool(values.filled.any())
    ranks = dict(zip(labels, _ranks(values, better(score), level), strict=True))
    return Ranked(record.benchmark, score.name, level, ranks, left_out)


def _ranks(values: Filled, direction: Better, level: float) -> list[Rank]:
    found = rank_intervals(values.sums, values.counts, direction, RankRule(level=level))
    return [Rank(*map(int, of)) for of in zip(*found, strict=True)]


def _ranking(of: Judged) -> ScoreRecord | None:
    """The score that ranks an entry, where it has a value."""
    score = of.record.ranking if of.record.role == "entry" else None
    return score if score is not None and score.value is not None else None


def _cell(rank: Rank | None) -> str:
    return NONE if rank is None else rank.cell


def _legend(columns: Sequence[Ranked]) -> str:
    """What a cell says, and why there is no last column."""
    level = level_text(columns[0].level)
    lines = [
        RANK,
        *[LEFT_OUT] * any(one.left_out for one in columns),
        f"interval: the ranks that its true mean may have, at {level} for each entry by itself",
        NO_AVERAGE,
    ]
    return "\n".join(lines)
