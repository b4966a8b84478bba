"""The scores of an entry case by case, as a table that needs no protocol to be read.

One row for each case, score and repeat, in the order in which they were scored, with the columns
`case`, `cluster` (and `cluster_2`, where a score has two keys), `repeat`, `score` and `value`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xbench.errors import RecordError
from xbench.interfaces.protocol import CaseScores
from xbench.kernels.names import Places, name_places
from xbench.results.record import Record, ScoreRecord
from xbench.results.scores_schema import NAMES, SCHEMA


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
    rows, repeats = _rows(table), range(len(record.rows))
    scores = [
        _of_repeats([table.take(rows(score.name, repeat)) for repeat in repeats], score)
        for score in record.scores
    ]
    return [[of_repeats[repeat] for of_repeats in scores] for repeat in repeats]


def _rows(table: pa.Table) -> Callable[[str, int], pa.Array]:
    """Which rows a score has in a repeat, in their order; all are sorted once."""
    names, places = name_places(table.column("score"))
    repeats = table.column("repeat").to_numpy().astype(np.int64)
    width = repeats.max(initial=0) + 1
    groups = places * width + repeats
    order = np.argsort(groups, kind="stable")
    known, group = {name: place for place, name in enumerate(names)}, groups[order]

    def rows(name: str, repeat: int) -> pa.Array:
        of = known[name] * width + repeat if name in known and repeat < width else -1
        return pa.array(order[slice(*np.searchsorted(group, [of, of + 1]))])

    return rows


def _of_repeats(tables: Sequence[pa.Table], score: ScoreRecord) -> list[CaseScores]:
    """A score of each repeat, clustered in the same way in all, also where one has no cases."""
    keys = [name for name in ("cluster", "cluster_2") if _is_key(tables, name)]
    named = [[name_places(of[name]) for name in ("case", *keys)] for of in tables]
    alone = len(keys) == 1 and all(_same(*of) for of in named)
    return [
        _scores(names[:1] if alone else names, of["value"].to_numpy(), score)
        for names, of in zip(named, tables, strict=True)
    ]


def _is_key(tables: Sequence[pa.Table], name: str) -> bool:
    return all(name in of.column_names and not of[name].null_count for of in tables)


def _same(one: Places, other: Places) -> bool:
    return np.array_equal(one.names, other.names) and np.array_equal(one.places, other.places)


def _scores(names: Sequence[Places], values: np.ndarray, score: ScoreRecord) -> CaseScores:
    cases, *clusters = (of.rows for of in names)
    return CaseScores(
        score.name,
        score.direction,
        cases,
        values,
        score.headline,
        score.unit,
        score.chance,
        score.ranking,
        tuple(clusters),
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
