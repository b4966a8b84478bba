"""`xbench export`: results as tables for other programs, and for papers."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xbench.cli.options import STORE, Session, session_options
from xbench.cli.results import FILTERS, wanted_results
from xbench.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from xbench.results.record import Record

FORMATS = ("csv", "tsv", "parquet", "json", "md", "latex")
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".json": "json",
    ".md": "md",
    ".tex": "latex",
}


@click.command("export")
@session_options(FILTERS, STORE)
@click.option(
    "--what",
    type=click.Choice(["scores", "differences", "cases"]),
    default="scores",
    show_default=True,
    help="A row for each score, each difference of two entries, or each case.",
)
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), help="Else what --out ends in, or CSV."
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; else they are printed."
)
@click.option("--run", metavar="ID", help="Only this run, by its number or id in the list.")
@click.option("--force", is_flag=True, help="Write over the file if it is there.")
def command(
    session: Session,
    what: str,
    format_: str | None,
    out: Path | None,
    run: str | None,
    force: bool,
    **filters: str | None,
) -> None:
    """Write the results of a store as a table.

    CSV, TSV, Parquet and JSON have a row for each score (or difference, or case) of each record,
    with all that tells records apart. Markdown and LaTeX have a row for each entry with its
    headline scores, or for each difference, to be read.
    """
    chosen = format_ or SUFFIXES.get(out.suffix.lower() if out else "", "csv")
    if chosen in ("md", "latex") and what == "cases":
        raise UsageError(f"cases are too many for {chosen}; write them with --format csv")
    if chosen == "parquet" and out is None and sys.stdout.isatty():
        raise UsageError("Parquet is no text; name a file with --out results.parquet")
    if out is not None and out.exists() and not force:
        raise UsageError(f"{out} is there already; name another file, or write --force")
    data = _data(session, list(_records(session, filters, run)), what, chosen)
    if out is None:
        click.echo(data, nl=False)
        return
    _write(out, data)
    click.echo(f"wrote {out}", err=True)


def _records(
    session: Session, filters: "dict[str, str | None]", called: str | None
) -> "Iterator[Record]":
    """The records that are asked for, newest runs first, each once."""
    from xbench.errors import RecordError
    from xbench.results.stored.runs import run_called, stored_runs
    from xbench.running.storage.stored_records import stored_records

    wanted, store = wanted_results(filters), session.opened_store()
    records, problems = stored_records(store)
    for problem in problems:
        click.echo(problem, err=True)
    runs = wanted.of_runs(stored_runs(records))
    runs = runs if called is None else [run_called(called, runs)]
    keys = dict.fromkeys(r.key for run in runs for r in run.records if wanted.fits(r))
    if not keys:
        raise RecordError(f"no such results in store {store.url!r}; `xbench results` lists them")
    whole = {of.record.key: of.record for of in records}
    yield from (whole[key] for key in keys)


def _data(session: Session, records: "list[Record]", what: str, chosen: str) -> bytes:
    from xbench.results import long_tables
    from xbench.results.rendering import rendered
    from xbench.results.stored.export import difference_rows, entry_table

    scores = what == "scores"
    if chosen in ("md", "latex"):
        table = entry_table(records) if scores else difference_rows(records)
        return f"{rendered(table, chosen)}\n".encode()
    if what == "cases":
        return long_tables.written(long_tables.case_table(_judged(session, records)), chosen)
    long_table = long_tables.score_table if scores else long_tables.difference_table
    return long_tables.written(long_table(records), chosen)


def _judged(session: Session, records: "list[Record]") -> "Iterator[tuple[Record, pa.Table]]":
    """Each record with its scores case by case; those without any are named and left out."""
    from xbench.api.stored import with_scores
    from xbench.errors import RecordError

    store = session.opened_store()
    for record in records:
        try:
            yield with_scores(record, store)
        except RecordError as error:
            click.echo(f"left out: {error}", err=True)


def _write(out: Path, data: bytes) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}; name another file") from error
