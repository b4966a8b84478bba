"""How a run's records are printed: conclusions first, then tables, then where records lie."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import click

from xbench.cli.output import print_heading, print_lines, print_table

if TYPE_CHECKING:
    from xbench.benchmark.assembly import Benchmark
    from xbench.reports.report import Run
    from xbench.results.record import Record
    from xbench.results.stored.pairing import Judged
    from xbench.results.tables import Table

MORE = "--full prints every table and path; --format tsv, csv, md, latex or json is for programs"


class Results(NamedTuple):
    """What was run of one benchmark, and where its records lie."""

    benchmark: "Benchmark"
    records: "Sequence[Record]"
    paths: Sequence[str]


def print_results(
    benchmark: "Benchmark",
    records: "Sequence[Record]",
    paths: Sequence[str],
    *,
    full: bool = True,
) -> None:
    """Print what was found, tables, and where the records lie.

    Without `full` of the tables the headline scores alone, of the paths their folder.
    """
    from xbench.results.conclusions import conclusions
    from xbench.results.tables import unscored

    found = conclusions(benchmark, records)
    print_heading(found.title)
    print_lines(*found.measured)
    print_list("What the words mean", [f"{term.name}: {term.meaning}" for term in found.terms])
    print_list("Conclusions", found.sentences)
    click.echo()
    for table in _tables(benchmark, records, full=full):
        print_rendered(table)
    print_lines(*(unscored(benchmark, records) if full else ()))
    print_lines(*_where(paths, full=full))


def print_suite(title: str, runs: "Sequence[Run]") -> None:
    """Print who wins in which benchmarks of a suite, and the scores and ranks of all entries."""
    from xbench.results.prose.winners import suite_sentences
    from xbench.results.tables import overview

    click.echo()
    print_list(title, list(suite_sentences([run.records for run in runs])))
    print_rendered(overview(title, [(run.benchmark, run.records) for run in runs]))
    ranks = suite_ranks(title, runs)
    if ranks is not None:
        print_rendered(ranks)


def suite_ranks(title: str, runs: "Sequence[Run]") -> "Table | None":
    """The rank of every entry in each benchmark that ranks; None where none does."""
    from xbench.results.stored.ranks import rank_table

    return rank_table(title, [_judged_entries(run) for run in runs])


def _judged_entries(run: "Run") -> "list[Judged]":
    """The entries of a run that have their scores case by case."""
    from xbench.api.stored import with_scores

    entries = [record for record in run.records if record.role == "entry"]
    return [with_scores(record, run.store) for record in entries if record.scores_file]


def print_written(form: str, runs: Sequence[Results], *, full: bool) -> None:
    """Print tables for other programs, and nothing else: of values all scores in one."""
    from xbench.results.long_tables import score_table, written
    from xbench.results.rendering import rendered

    if form in {"tsv", "csv"}:
        records = [record for run in runs for record in run.records]
        click.echo(written(score_table(records), form).decode(), nl=False)
        return
    tables = [one for run in runs for one in _tables(run.benchmark, run.records, full=full)]
    click.echo("\n\n".join(rendered(table, form) for table in tables))


def print_list(title: str, items: Sequence[str]) -> None:
    """Print items below a heading; nothing where there are none."""
    if items:
        click.echo()
        print_heading(title)
        print_lines(*(f"- {item}" for item in items))


def _tables(
    benchmark: "Benchmark", records: "Sequence[Record]", *, full: bool
) -> "Iterator[Table]":
    """The headline scores; all tables too where that is asked for, or there is no headline."""
    from xbench.results.comparison import headlines
    from xbench.results.tables import headline_table, tables

    decided = bool(headlines(records))
    if decided:
        yield headline_table(benchmark, records)
    yield from tables(benchmark, records) if full or not decided else ()


def print_rendered(table: "Table") -> None:
    """Print a table: framed on a terminal, aligned where it is piped, as the sentences are."""
    from xbench.results.rendering import rendered

    if sys.stdout.isatty():
        print_table(table.title, table.columns, [(row.name, *row.cells) for row in table.rows])
        print_lines(*table.legend.splitlines())
    else:
        click.echo(rendered(table, "text"))
    click.echo()


def _where(paths: Sequence[str], *, full: bool) -> list[str]:
    """Each path where all is asked for or there is one; else the folder, and how to see more."""
    if full or len(paths) == 1:
        return [f"record {path}" for path in paths]
    folder = paths[0].rpartition("/")[0]
    return [f"{len(paths)} records in {folder}", MORE]
