"""`xbench run`: the whole chain, from a benchmark to records."""

import shlex
from pathlib import Path
from typing import Any

import click

from xbench.cli.options import CHOICE, OUTPUT, WORK, Session, session_options


@click.command("run")
@session_options(CHOICE, WORK, OUTPUT)
@click.option(
    "--repeats", type=click.IntRange(1), help="Trainings and runs, each with its own seed."
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    help="Evaluate so many images only: the first of each test set, of each as many.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write a page with tables, curves and pictures there.",
)
@click.option(
    "--pictures",
    type=click.IntRange(0),
    default=6,
    show_default=True,
    help="How many explanations the report shows.",
)
@click.pass_obj
def command(
    arguments: tuple[str, ...],
    session: Session,
    limit: int | None,
    report: Path | None,
    pictures: int,
) -> None:
    """Run a benchmark: train, explain, score and record.

    Without options this is `benchmarks/default.toml`. What was made before is found in the
    store and not made again, also after a kill.
    """
    from xbench.cli.output import print_json, print_lines, progress
    from xbench.cli.results import print_results
    from xbench.reports.report import Run, check_folder, write_report
    from xbench.running.runner import RunOptions, record_path, run

    if report is not None:
        check_folder(report)
    benchmark = session.assembled()
    store = session.opened_store()
    with progress(session.quiet or session.json) as reporter:
        workplace = session.workplace(reporter)
        records = run(benchmark, store, session.executor(), workplace, RunOptions(limit))
        if report is not None:
            spoken = shlex.join(["xbench", *arguments])
            done = Run(benchmark, records, store, workplace, spoken)
            page = write_report(done, report, pictures)
    if session.json:
        print_json([record.model_dump() for record in records])
        return
    paths: list[Any] = [
        f"{store.url.rstrip('/')}/records/{record_path(record)}" for record in records
    ]
    print_results(benchmark, records, paths)
    if report is not None:
        print_lines(f"report {page}")
