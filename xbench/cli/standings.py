"""How a run's records are printed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xbench.cli.output import print_lines, print_table

if TYPE_CHECKING:
    from xbench.benchmark.assembly import Benchmark
    from xbench.results.record import Record
    from xbench.results.tables import Row, Table


def print_results(
    benchmark: "Benchmark", records: "Sequence[Record]", paths: Sequence[str]
) -> None:
    """Print the scores of all entries, what differs, and where the records lie."""
    from xbench.results.tables import awaited, heading, tables, unscored

    print_lines(*heading(benchmark, records))
    for table in tables(benchmark, records):
        _print(table)
    print_lines(*unscored(benchmark, records), *awaited(records))
    print_lines(*(f"record {path}" for path in paths))


def print_overview(title: str, runs: "Sequence[tuple[Benchmark, Sequence[Record]]]") -> None:
    """Print the headline scores of all entries in all benchmarks of a suite."""
    from xbench.results.tables import overview

    _print(overview(title, runs))


def _print(table: "Table") -> None:
    print_table(table.title, table.columns, [(_label(row), *row.cells) for row in table.rows])


def _label(row: "Row") -> str:
    plain = row.role in ("entry", "published")
    return row.label if plain else f"{row.label}\n({row.role})"
