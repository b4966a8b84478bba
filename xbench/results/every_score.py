"""All scores as one table, one a row: for programs, not for people."""

from collections.abc import Iterator, Sequence

from xbench.results.record import Record, ScoreRecord
from xbench.results.tables import Row, Table

SCORE_FIELDS = (
    "name",
    "direction",
    "headline",
    "ranking",
    "unit",
    "value",
    "low",
    "high",
    "deviation",
    "chance",
    "n",
    "n_unscored",
)
"""What the table of all scores says of each, as records have it."""


def every_score(records: Sequence[Record]) -> Table:
    """All scores of all records, one a row, with the digits of the records: for programs."""
    columns = ("label", "benchmark", "role", "score", *SCORE_FIELDS[1:])
    rows = (
        Row(record.label, (record.benchmark, record.role, *_fields(score)))
        for record in records
        for score in record.scores
    )
    return Table("All scores", columns, tuple(rows))


def _fields(score: ScoreRecord) -> Iterator[str]:
    for name in SCORE_FIELDS:
        value = getattr(score, name)
        yield "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
