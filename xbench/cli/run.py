"""`xbench run`: the whole chain, from a benchmark to records."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xbench.cli.options import CHOICE, OUTPUT, WORK, Session, session_options
from xbench.errors import MismatchError

if TYPE_CHECKING:
    from xbench.benchmark.assembly import Benchmark
    from xbench.interfaces.executor import Executor


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
    """Run a benchmark, or a suite of them: train, explain, score and record.

    Without options this is `benchmarks/default.toml`. What was made before is found in the
    store and not made again, also after a kill.
    """
    from xbench.cli.output import print_json, print_lines, progress
    from xbench.cli.results import print_overview, print_results
    from xbench.reports.report import Run, write_report
    from xbench.running.runner import RunOptions, record_path, run_together

    suite = session.suite()
    sessions = [session.of(tree) for tree in suite.trees] if suite else [session]
    benchmarks = [of.assembled() for of in sessions]
    folders = _report_folders(report, benchmarks, several=suite is not None)
    executor, store, spoken = _executor(sessions), session.opened_store(), shlex.join(arguments)
    with progress(session.quiet or session.json) as reporter:
        workplace = session.workplace(reporter)
        records = run_together(benchmarks, store, executor, workplace, RunOptions(limit))
        runs = [
            Run(benchmark, of, store, workplace, f"xbench {spoken}")
            for benchmark, of in zip(benchmarks, records, strict=True)
        ]
        pages = [write_report(run, to, pictures) for run, to in zip(runs, folders, strict=False)]
    if session.json:
        print_json([record.model_dump() for run in runs for record in run.records])
        return
    for run in runs:
        paths = [f"{store.url.rstrip('/')}/records/{record_path(of)}" for of in run.records]
        print_results(run.benchmark, run.records, paths)
    if suite:
        print_overview(suite.title or suite.name, [(run.benchmark, run.records) for run in runs])
    print_lines(*(f"report {page}" for page in pages))


def _report_folders(
    report: Path | None, benchmarks: "Sequence[Benchmark]", *, several: bool
) -> list[Path]:
    """A folder for the report of each benchmark, all writable; none if no report is asked for."""
    from xbench.reports.report import check_folder

    if report is None:
        return []
    folders = [report / benchmark.name if several else report for benchmark in benchmarks]
    for folder in folders:
        check_folder(folder)
    return folders


def _executor(sessions: Sequence[Session]) -> "Executor":
    """The one executor that all benchmarks of a run ask for."""
    executors = list(dict.fromkeys(session.executor() for session in sessions))
    if len(executors) > 1:
        asked = " and ".join(map(str, executors))
        raise MismatchError(
            f"benchmarks of one run ask for {asked}; choose with -p executor.name=…"
        )
    return executors[0]
