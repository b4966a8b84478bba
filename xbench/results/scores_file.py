"""The scores of an entry case by case, as a table that needs no protocol to be read.

One row for each case, score and repeat, in the order in which they were scored, with the columns
`case`, `cluster` (and `cluster_2`, where a score has two keys), `repeat`, `score` and `value`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xbench.errors import RecordError
from xbench.interfaces.protocol import CaseScores
from xbench.kernels.names import name_places
from xbench.results.record import Record, ScoreRecord

NAMES = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    {
        "case": NAMES,
        "cluster": NAMES,
        "cluster_2": NAMES,
        "repeat": pa.int32(),
        "score": NAMES,
        "value": pa.float64(),
    }
)
"""`cluster_2` is left out where no score has two keys."""


def scores_table(repeats: Sequence[Sequence[CaseScores]]) -> pa.Table:
    """All scores of one entry; a case without clusters is its own."""
    parts = [
        _part(scores, repeat) for repeat, of_repeat in enumerate(repeats) for scores in of_repeat
    ]
    whole = pa.concat_tables([SCHEMA.empty_table(), *parts]).unify_dictionaries().combine_chunks()
    two_keys = any(len(scores.clusters) > 1 for of_repeat in repeats for scores in of_repeat)
    return whole if two_keys else whole.drop_columns(["cluster_2"])


def _part(scores: CaseScores, repeat: int) -> pa.Table:
    count = len(scores.values)
    first, *more = map(_words, scores.clusters or (scores.cases,))
    columns: dict[str, Any] = {
        "case": _words(scores.cases),
        "cluster": first,
        "cluster_2": more[0] if more else pa.nulls(count, NAMES),
        "repeat": np.full(count, repeat, np.int32),
        "score": _words(np.full(count, scores.name, object)),
        "value": pa.array(scores.values, pa.float64()),
    }
    return pa.table(columns, schema=SCHEMA)


def _words(names: np.ndarray) -> pa.Array:
    return pa.array(names, pa.string()).dictionary_encode()


def case_scores(table: pa.Table, record: Record) -> list[list[CaseScores]]:
    """The scores of each repeat of a record, from the table of them; `RecordError` if it is none.

    What a random answer is expected to score is that of all repeats together.
    """
    _check(table, record)
    scores = name_places(table.column("score"))
    repeats = table.column("repeat").to_numpy()
    return [
        [
            _scores(table.take(_rows(scores.rows == score.name, repeats == repeat)), score)
            for score in record.scores
        ]
        for repeat in range(len(record.rows))
    ]


def _rows(named: np.ndarray, repeated: np.ndarray) -> pa.Array:
    return pa.array(np.flatnonzero(named & repeated))


def _scores(rows: pa.Table, score: ScoreRecord) -> CaseScores:
    cases, *keys = (
        name_places(rows.column(name)).rows
        for name in ("case", "cluster", "cluster_2")
        if name in rows.column_names and not (name == "cluster_2" and rows[name].null_count)
    )
    alone = len(keys) == 1 and np.array_equal(keys[0], cases)
    return CaseScores(
        score.name,
        score.direction,
        cases,
        rows.column("value").to_numpy(),
        score.headline,
        score.unit,
        score.chance,
        score.ranking,
        () if alone else tuple(keys),
    )


def _check(table: pa.Table, record: Record) -> None:
    """Raise `RecordError` unless the table has the columns and scores that it must have."""
    what = f"scores of {record.label!r} ({record.key})"
    types = {field.name: field.type for field in table.schema}
    for field in SCHEMA:
        if field.name != "cluster_2" and types.get(field.name) != field.type:
            raise RecordError(f"{what} have no column {field.name!r} of type {field.type}")
    unknown = set(pc.unique(table.column("score")).to_pylist()) - {s.name for s in record.scores}
    if unknown:
        raise RecordError(f"{what} hold {min(unknown)!r}, which is none of its record")
