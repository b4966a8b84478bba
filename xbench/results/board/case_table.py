"""Scores case by case from strangers: a table that has the form of one and nothing more."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from xbench.errors import SubmissionError
from xbench.results.board.strict_json import AGAIN
from xbench.results.record import Record
from xbench.results.scores_schema import SCHEMA

IDENTITY = ("case", "cluster", "cluster_2", "repeat", "score")
_NO_PLACE = r"(^|/)\s*\.{0,2}\s*(/|$)|\\"
"""Names with an empty part, or one that leads elsewhere where names become paths."""


def checked_scores(table: pa.Table, record: Record, what: str) -> pa.Table:
    """The table with the columns and types of `SCHEMA`; `SubmissionError` says what is wrong."""
    scores = _typed(table, what)
    for fault in _faults(scores, record):
        raise SubmissionError(f"{what}: {fault}; {AGAIN}")
    return scores


def _typed(table: pa.Table, what: str) -> pa.Table:
    names = [name for name in SCHEMA.names if name != "cluster_2" or name in table.column_names]
    expected = pa.schema([SCHEMA.field(name) for name in names])
    if table.column_names != names:
        shown = ", ".join(table.column_names)[:200] or "none"
        message = f"has the columns {shown}, and not {', '.join(names)}"
        raise SubmissionError(f"{what} {message}; {AGAIN}")
    for field, given in zip(expected, table.schema, strict=True):
        if _plain(given.type) != _plain(field.type):
            message = f"column {field.name!r} is of type {given.type}, not {field.type}"
            raise SubmissionError(f"{what}: {message}; {AGAIN}")
    return table.cast(expected).unify_dictionaries().combine_chunks()


def _plain(kind: pa.DataType) -> pa.DataType:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.string() if pa.types.is_large_string(kind) else kind


def _faults(table: pa.Table, record: Record) -> Iterator[str]:
    for name in (name for name in table.column_names if name != "cluster_2"):
        if table[name].null_count:
            yield f"{table[name].null_count} rows have no {name}"
    yield from _faults_of_names(table)
    ends = pc.min_max(table["repeat"]).as_py()
    repeats = len(record.rows)
    if table.num_rows and not 0 <= ends["min"] <= ends["max"] < repeats:
        yield f"repeats run from {ends['min']} to {ends['max']}; the record has {repeats} of them"
    if pc.any(pc.is_inf(table["value"])).as_py():
        yield "a value is infinite"
    known = {score.name for score in record.scores}
    unknown = set(pc.unique(table["score"]).to_pylist()) - known
    if unknown:
        yield f"score {min(unknown)!r} is none of the record's"
    yield from _half_keys(table)
    yield from _doubles(table)


def _faults_of_names(table: pa.Table) -> Iterator[str]:
    for name in ("case", "cluster", "cluster_2"):
        if name in table.column_names:
            words = pc.unique(table[name]).cast(pa.string())
            strange = words.filter(pc.match_substring_regex(words, _NO_PLACE))
            if len(strange):
                yield f"{name} {strange[0].as_py()!r} is no name, but reads like a path"


def _half_keys(table: pa.Table) -> Iterator[str]:
    """Where some cases of a score have a second cluster, and others none."""
    if "cluster_2" in table.column_names:
        absent = pc.is_null(table["cluster_2"])
        without, having = (
            set(pc.unique(table["score"].filter(mask)).to_pylist())
            for mask in (absent, pc.invert(absent))
        )
        if without & having:
            yield f"some cases of {min(without & having)!r} have no second cluster"


def _doubles(table: pa.Table) -> Iterator[str]:
    """Where the same case of a score stands twice in one repeat."""
    names = [name for name in IDENTITY if name in table.column_names]
    places = pa.table({name: _numbers(table[name]) for name in names})
    counts = places.group_by(names).aggregate([([], "count_all")])
    if len(counts) < table.num_rows:
        number = pc.index(pc.greater(counts["count_all"], 1), value=True).as_py()
        case = table["case"].chunk(0).dictionary[counts["case"][number].as_py()].as_py()
        yield f"case {case!r} stands twice in one score of one repeat"


def _numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_dictionary(column.type):
        return column
    return pa.chunked_array([chunk.indices for chunk in column.chunks], pa.int32())
