"""Long tables: a row for each score, difference or case, with all digits, for programs."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from xbench.results.comparison import every_comparison
from xbench.results.record import Record
from xbench.results.stored.runs import component_names, dataset_name

OF_RECORD = {
    "key": pa.string(),
    "finished": pa.string(),
    "benchmark": pa.string(),
    "version": pa.string(),
    "variants": pa.string(),
    "limited_to": pa.int64(),
    "status": pa.string(),
    "dataset": pa.string(),
    "explainer": pa.string(),
    "classifier": pa.string(),
    "entry": pa.string(),
    "role": pa.string(),
    "repeats": pa.int64(),
}
"""Columns that say which record a row is of; variants are null where the record does not know."""
OF_SCORE = {
    "score": pa.string(),
    "unit": pa.string(),
    "direction": pa.string(),
    "headline": pa.bool_(),
    "ranking": pa.bool_(),
    "value": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "level": pa.float64(),
    "interval": pa.string(),
    "n": pa.int64(),
    "n_unscored": pa.int64(),
    "deviation": pa.float64(),
    "chance": pa.float64(),
}
OF_DIFFERENCE = {
    "score": pa.string(),
    "unit": pa.string(),
    "minus": pa.string(),
    "minus_key": pa.string(),
    "value": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "level": pa.float64(),
    "interval": pa.string(),
    "n": pa.int64(),
    "paired": pa.bool_(),
    "verdict": pa.string(),
}
OF_CASE = {
    "score": pa.string(),
    "unit": pa.string(),
    "repeat": pa.int64(),
    "case": pa.string(),
    "cluster": pa.string(),
    "cluster_2": pa.string(),
    "value": pa.float64(),
}


def score_table(records: Iterable[Record]) -> pa.Table:
    """A row for each score of each record."""
    rows = (
        {**_of_record(record), **score.model_dump(), "score": score.name, "level": _level(record)}
        for record in records
        for score in record.scores
    )
    return _table(rows, OF_SCORE)


def difference_table(records: Iterable[Record]) -> pa.Table:
    """A row for each difference of each record."""
    rows = (
        {
            **_of_record(record),
            **one.difference.model_dump(),
            "level": _level(record),
            "verdict": one.verdict,
        }
        for record in records
        for one in every_comparison(record)
    )
    return _table(rows, OF_DIFFERENCE)


def case_table(judged: Iterable[tuple[Record, pa.Table]]) -> pa.Table:
    """A row for each case, score and repeat of each record."""
    schema = pa.schema({**OF_RECORD, **OF_CASE})
    parts = [_cases(record, table, schema) for record, table in judged]
    return pa.concat_tables([schema.empty_table(), *parts])


def written(table: pa.Table, form: str) -> bytes:
    """The long table as CSV, values between tabs, Parquet or JSON."""
    writers: Mapping[str, Callable[[pa.Table], bytes]] = {
        "csv": _csv,
        "tsv": lambda of: _csv(of, "\t"),
        "parquet": _parquet,
        "json": _json,
    }
    return writers[form](table)


def _of_record(record: Record) -> dict[str, Any]:
    heading = record.heading
    return {
        "key": record.key,
        "finished": record.times.finished,
        "benchmark": record.benchmark,
        "version": record.benchmark_version,
        "variants": None if heading is None else " ".join(heading.variants),
        "limited_to": record.limited_to,
        "status": record.status,
        "dataset": dataset_name(record),
        "explainer": _first(record, "explainer"),
        "classifier": _first(record, "classifier"),
        "entry": record.label,
        "role": record.role,
        "repeats": len(record.rows),
    }


def _first(record: Record, kind: str) -> str | None:
    """The name of the record's own component of a kind, with its argument where it has one."""
    names = component_names(record.components.get(kind), kind)
    return next((name for name in names if ":" in name), names[0]) if names else None


def _level(record: Record) -> float:
    return record.intervals.level


def _table(rows: Iterator[dict[str, Any]], columns: Mapping[str, pa.DataType]) -> pa.Table:
    schema = pa.schema({**OF_RECORD, **columns})
    return pa.Table.from_pylist(
        [{name: row[name] for name in schema.names} for row in rows], schema
    )


def _cases(record: Record, table: pa.Table, schema: pa.Schema) -> pa.Table:
    units = {score.name: score.unit for score in record.scores}
    names = [str(name) for name in table.column("score").to_pylist()]
    own = {"unit": pa.array([units.get(name) for name in names], pa.string())}
    told = _of_record(record)
    columns = []
    for field in schema:
        if field.name in table.column_names:
            columns.append(table.column(field.name).combine_chunks().cast(field.type))
        elif field.name in own:
            columns.append(own[field.name])
        else:
            value = pa.scalar(told.get(field.name), field.type)
            columns.append(pa.repeat(value, table.num_rows))
    return pa.table(columns, schema=schema)


def _csv(table: pa.Table, between: str = ",") -> bytes:
    from pyarrow import csv

    sink = io.BytesIO()
    options = csv.WriteOptions(delimiter=between, quoting_style="needed", quoting_header="needed")
    csv.write_csv(table, sink, options)
    return sink.getvalue()


def _parquet(table: pa.Table) -> bytes:
    from pyarrow import parquet

    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def _json(table: pa.Table) -> bytes:
    rows = [{key: _finite(value) for key, value in row.items()} for row in table.to_pylist()]
    return (json.dumps(rows, indent=2, ensure_ascii=False) + "\n").encode()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124 - NaN
