"""`xbench results`: what a store's records hold, and stored runs shown again."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from xbench.benchmark.completion import of_kind
from xbench.cli.options import OUTPUT, RESULTS, STORE, Session, session_options

if TYPE_CHECKING:
    from xbench.results.record import Record
    from xbench.results.stored.runs import StoredRun, Wanted
    from xbench.results.stored.settings import Settings

FILTERS = (
    *(
        click.option(
            f"--{kind}",
            f"of_{kind}",
            metavar="NAME",
            help=f"Only of this {kind}.",
            shell_complete=of_kind(kind),
        )
        for kind in ("benchmark", "dataset", "explainer", "classifier")
    ),
    click.option(
        "--entry", "of_entry", metavar="TEXT", help="Only entries with this in their label."
    ),
    click.option("--since", metavar="DATE|AGE", help="Only since 2026-05-01, or the last 7d."),
)
"""Which of the store's results; names may hold `*`."""
MOST_ROWS, MOST_SETTINGS, LONGEST = 6, 3, 24
"""Entries of a run that the list shows where none are asked for by name, settings by which an
entry is told apart, and the characters of one."""


@click.command("results")
@click.argument("show", required=False)
@session_options(FILTERS, STORE, OUTPUT, RESULTS)
def command(session: Session, show: str | None, **filters: str | None) -> None:
    """List the results that a store holds, newest first, or SHOW one of them again.

    SHOW is a number or an id of the list, the first digits of a record's key, or the file
    of a record: its whole run is shown, as `xbench run` did.
    """
    wanted = wanted_results(filters)
    if show is not None and Path(show).is_file():
        _show_file(session, Path(show))
        return
    runs = wanted.of_runs(_runs(session))
    if show is not None:
        from xbench.results.stored.runs import run_called

        _show(session, run_called(show, runs), session.opened_store().url)
    elif session.printed_as == "json":
        from xbench.cli.output import print_json

        print_json([_facts(run) for run in runs])
    else:
        _list(session, runs, wanted)


def wanted_results(filters: "dict[str, str | None]") -> "Wanted":
    """What the options of `FILTERS` ask for."""
    from xbench.results.stored.runs import Wanted, since

    since_text = filters.pop("since")
    asked: dict[str, Any] = {name.removeprefix("of_"): text for name, text in filters.items()}
    return Wanted(**asked, since=since(since_text, datetime.now(UTC)) if since_text else None)


def _runs(session: Session) -> "list[StoredRun]":
    """All runs of the session's store; what cannot be read of it is said."""
    from xbench.results.stored.runs import stored_runs
    from xbench.running.storage.stored_records import stored_records

    records, problems = stored_records(session.opened_store())
    for problem in () if session.quiet else problems:
        click.echo(problem, err=True)
    return stored_runs(records)


def _list(session: Session, runs: "Sequence[StoredRun]", wanted: "Wanted") -> None:
    from xbench.cli.output import print_lines, print_table

    url = session.opened_store().url
    if not runs:
        any_there = bool(_runs(session)) if _asks(wanted) else False
        way_out = "leave a filter out" if any_there else "`xbench run` writes some"
        print_lines(f"no results{' of these' * any_there} in store {url}; {way_out}")
        return
    short = session.form == "text" and sys.stdout.isatty()
    rows = list(_rows(runs, wanted, short=short))
    title = f"Results in {url}, newest first"
    if session.form != "text":
        _print_list(session.form, title, rows)
    elif short:
        columns = ["run", "benchmark", "entry", "score"]
        before = [None, *rows[:-1]]
        print_table(title, columns, list(map(_narrow, rows, before)))
    else:
        print_table(title, ListedRow._fields, rows)
    if session.form == "text" and not session.quiet:
        click.echo("`xbench results 1` shows a run again, by its number or id", err=True)


def _print_list(form: str, title: str, rows: "Sequence[ListedRow]") -> None:
    """Print the list for other programs, or for papers."""
    from xbench.results.rendering import rendered
    from xbench.results.tables import Row, Table

    listed = tuple(Row(place, tuple(cells)) for place, *cells in rows)
    click.echo(rendered(Table(title, ListedRow._fields, listed), form))


def _asks(wanted: "Wanted") -> bool:
    return any(value is not None for value in vars(wanted).values())


class ListedRow(NamedTuple):
    """An entry of a run, as the list has it."""

    run: str
    id: str
    finished: str
    benchmark: str
    dataset: str
    entry: str
    score: str
    value: str
    remarks: str


def _narrow(row: ListedRow, before: ListedRow | None) -> list[str]:
    """The row in four columns, as 80 characters hold it; what the row before said is left out."""
    if before is not None and row.run == before.run:
        said = row.remarks.replace("; ", "\n") if row.remarks != before.remarks else ""
        return ["", said, row.entry, f"{row.value}\n{row.score}".strip("\n")]
    finished = row.finished.replace(" ", "\n")
    remarks = row.remarks.replace("; ", "\n")
    where = f"{row.benchmark}\non {row.dataset}\n{remarks}" if row.benchmark else ""
    run, score = f"{row.run} {row.id}\n{finished}", f"{row.value}\n{row.score}"
    return [run.rstrip("\n"), where.rstrip("\n"), row.entry, score.rstrip("\n")]


def _rows(runs: "Sequence[StoredRun]", wanted: "Wanted", *, short: bool) -> Iterator[ListedRow]:
    """The rows of all runs; with `short`, of a run with many entries the first."""
    from xbench.results.stored.settings import peculiar

    own = peculiar([record for run in runs for record in run.records])
    for place, run in enumerate(runs, 1):
        records = _shown(run, wanted)
        in_full = wanted.entry or wanted.explainer or not short
        most = len(records) if in_full else MOST_ROWS
        for record in records[:most]:
            remarks = [*_remarks(run, record), *_settings(own[record.key])]
            yield _row(str(place), run, record, "; ".join(remarks))
        if more := len(records[most:]):
            nothing = ListedRow(*[""] * len(ListedRow._fields))
            yield nothing._replace(run=str(place), id=run.id, entry=f"… and {more} more")


def _row(place: str, run: "StoredRun", record: "Record", remarks: str) -> ListedRow:
    from xbench.results.numbers import score_text, unit_text
    from xbench.results.stored.runs import dataset_name, leading_score, time_text

    score = leading_score(record)
    return ListedRow(
        place,
        run.id,
        time_text(run.finished),
        f"{record.benchmark} {record.benchmark_version.partition('+')[0]}",
        dataset_name(record),
        record.label if record.role == "entry" else f"{record.label} ({record.role})",
        f"{score.name}{unit_text(score.unit)}" if score else "",
        score_text(score),
        remarks,
    )


def _settings(own: "Settings") -> Iterator[str]:
    """In what a record is not as others of its label are, in `-p` options."""
    for path, value in list(own.items())[:MOST_SETTINGS]:
        text = str(value)
        yield f"{path}={text if len(text) <= LONGEST else text[:LONGEST] + '…'}"
    if more := len(own) - MOST_SETTINGS:
        yield from [f"{more} more settings"] * (more > 0)


def _shown(run: "StoredRun", wanted: "Wanted") -> "list[Record]":
    """The run's records that are asked for; where all would be, without floors and ceilings."""
    fitting = [record for record in run.records if wanted.fits(record)]
    entries = [record for record in fitting if record.role == "entry"]
    return entries if entries and wanted.entry is None else fitting


def _remarks(run: "StoredRun", record: "Record") -> Iterator[str]:
    """What is to be known before the number is used."""
    if record.heading is not None:
        yield from (f"variant {name}" for name in record.heading.variants)
    if record.limited_to is not None:
        yield f"limited to {record.limited_to}"
    if len(record.seeds) > 1:
        yield f"{len(record.seeds)} repeats"
    if record.status != "complete":
        yield record.status.replace("-", " ")
    if record.source != "run here":
        yield record.source
    if run.missing:
        yield f"{run.missing} of its records are gone"


def _facts(run: "StoredRun") -> dict[str, Any]:
    from xbench.results.stored.runs import dataset_name, leading_score

    first = run.records[0]
    scores = {record.key: leading_score(record) for record in run.records}
    return {
        "id": run.id,
        "finished": run.finished,
        "benchmark": first.benchmark,
        "version": first.benchmark_version,
        "variants": first.heading.variants if first.heading else None,
        "dataset": dataset_name(first),
        "limited_to": first.limited_to,
        "seeds": first.seeds,
        "missing": run.missing,
        "records": [
            {
                "key": of.record.key,
                "path": of.path,
                "entry": of.record.label,
                "role": of.record.role,
                "status": of.record.status,
                "score": score.model_dump() if (score := scores[of.record.key]) else None,
            }
            for of in run.stored
        ],
    }


def _show_file(session: Session, path: Path) -> None:
    """Show the run that the record of a file is of, from the store that it lies in."""
    from xbench.api.stored import store_of
    from xbench.results.record import read_record_file
    from xbench.results.stored.runs import StoredRecord, StoredRun, run_called, stored_runs
    from xbench.running.storage.stored_records import stored_records

    record, store = read_record_file(path), store_of(path)
    if store is None:
        alone = StoredRun((StoredRecord(str(path), record),), record.times.finished)
        _show(session, alone, "")
    else:
        runs = stored_runs(stored_records(store).records)
        _show(session, run_called(record.key, runs), store.url)


def _show(session: Session, run: "StoredRun", url: str) -> None:
    """The text that the run printed; what it cannot say any more is said."""
    from xbench.cli.output import print_json
    from xbench.cli.standings import Results, print_results, print_written
    from xbench.results.stored.rebuilt import rebuilt

    if session.printed_as == "json":
        print_json([record.model_dump() for record in run.records])
        return
    below = f"{url.rstrip('/')}/records/" if url else ""
    benchmark = rebuilt(run.records, session.registry)
    paths = [f"{below}{of.path}" for of in run.stored]
    if session.form == "text":
        print_results(benchmark, run.records, paths, full=session.full)
    else:
        results = Results(benchmark, run.records, paths)
        print_written(session.form, [results], full=session.full)
    for line in () if session.quiet else _lost(run):
        click.echo(line, err=True)


def _lost(run: "StoredRun") -> Iterator[str]:
    """What its run said and these records do not."""
    if run.missing:
        yield f"{run.missing} more records of this run are not in the store any more"
    if run.records[0].heading is None:
        yield (
            "these records are of an earlier version: title, variants and contrasts of their "
            "benchmark are not known"
        )
