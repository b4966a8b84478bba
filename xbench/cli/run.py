"""`xbench run`: the whole chain, from a benchmark to records."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xbench.cli.options import (
    CHOICE,
    DRY_RUN,
    NO_TRAIN,
    OUTPUT,
    RESULTS,
    WORK,
    Session,
    session_options,
)
from xbench.errors import FailedEntriesError, MismatchError

if TYPE_CHECKING:
    from xbench.benchmark.assembly import Benchmark
    from xbench.benchmark.suite import SuiteTree
    from xbench.cli.standings import Results
    from xbench.interfaces.executor import Executor
    from xbench.interfaces.workplace import Progress
    from xbench.reports.report import Run
    from xbench.running.runner import RunOptions


@click.command("run")
@session_options(CHOICE, WORK, DRY_RUN, NO_TRAIN, OUTPUT, RESULTS)
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
@click.option(
    "--keep-explanations/--no-keep-explanations",
    "keep",
    default=True,
    show_default=True,
    help="Keep explanations and predictions in the store, for other protocols and later runs.",
)
@click.option(
    "--keep-at-most",
    "cap",
    type=click.FloatRange(0),
    default=2.0,
    show_default=True,
    metavar="GIB",
    help="How much of them a run leaves in the store; its oldest go first.",
)
@click.pass_obj
def command(
    arguments: tuple[str, ...],
    session: Session,
    limit: int | None,
    report: Path | None,
    pictures: int,
    keep: bool,
    cap: float,
) -> None:
    """Run a benchmark, or a suite of them: train, explain, score and record.

    Without options this is `benchmarks/default.toml`. What was made before is found in the
    store and not made again, also after a kill. Where entries fail, the others are recorded.
    """
    from xbench.cli.output import progress
    from xbench.cli.pointing.plans import print_plan
    from xbench.reports.report import write_report
    from xbench.running.runner import RunOptions

    suite = session.suite()
    sessions = [session.of(tree) for tree in suite.trees] if suite else [session]
    benchmarks = [of.assembled() for of in sessions]
    folders = _report_folders(report, benchmarks, several=suite is not None)
    options = RunOptions(limit, keep=keep, cap=cap, train=not session.no_train)
    if session.dry_run:
        _executor(sessions)
        print_plan(session, benchmarks, options)
        return
    form = session.printed_as
    with progress(session.quiet or form == "json") as reporter:
        runs, failed = _runs(session, (benchmarks, _executor(sessions)), options, reporter)
        spoken = f"xbench {shlex.join(arguments)}"
        whole = [(run, to) for run, to in zip(runs, folders, strict=False) if run.records]
        pages = [write_report(run._replace(command=spoken), to, pictures) for run, to in whole]
        if suite and report and pages:
            pages.insert(0, _suite_page(suite, [run for run, _ in whole], report, spoken))
    _print(suite, [run for run in runs if run.records], pages, (form, session.full))
    if failed is not None:
        raise failed


def score_given(session: Session, files: Mapping[str, Path], limit: int | None) -> None:
    """Score files with explanations, by label, in the place of the benchmark's entries."""
    from xbench.api.given import given_tree
    from xbench.cli.output import progress
    from xbench.running.runner import RunOptions

    of = session.of(given_tree(session.tree, session.registry, files))
    asked = [of.assembled()], of.executor()
    with progress(session.quiet or session.json) as reporter:
        runs, failed = _runs(of, asked, RunOptions(limit), reporter)
    _print(None, [run for run in runs if run.records], (), (session.printed_as, session.full))
    if failed is not None:
        raise failed


def _runs(
    session: Session,
    asked: "tuple[Sequence[Benchmark], Executor]",
    options: "RunOptions",
    reporter: "Progress",
) -> "tuple[list[Run], FailedEntriesError | None]":
    """What was run, and what of it failed."""
    from xbench.reports.report import Run
    from xbench.running.runner import run_together

    (benchmarks, executor), failed = asked, None
    store, workplace = session.opened_store(), session.workplace(reporter)
    try:
        records = run_together(benchmarks, store, executor, workplace, options)
    except FailedEntriesError as error:
        failed, records = error, [list(of) for of in error.records]
    pairs = zip(benchmarks, records, strict=True)
    return [Run(benchmark, of, store, workplace, "") for benchmark, of in pairs], failed


def _print(
    suite: "SuiteTree | None",
    runs: "Sequence[Run]",
    pages: Sequence[Path],
    asked: tuple[str, bool],
) -> None:
    """What was found, in the form that was asked for, all of it or the headlines."""
    from xbench.cli.output import print_json, print_lines
    from xbench.cli.standings import print_results, print_suite, print_written

    form, full = asked
    if form == "json":
        print_json([record.model_dump() for run in runs for record in run.records])
        return
    results = [_results(run) for run in runs]
    if form != "text":
        print_written(form, results, full=full)
        return
    for place, of in enumerate(results):
        print_lines(*[""] * bool(place))
        print_results(*of, full=full)
    if suite and runs:
        print_suite(suite.title or suite.name, runs)
    print_lines(*(f"report {page}" for page in pages))


def _results(run: "Run") -> "Results":
    """A run, and the paths of its records."""
    from xbench.cli.standings import Results
    from xbench.results.record import record_path

    below = f"{run.store.url.rstrip('/')}/records"
    paths = [f"{below}/{record_path(record)}" for record in run.records]
    return Results(run.benchmark, run.records, paths)


def _report_folders(
    report: Path | None, benchmarks: "Sequence[Benchmark]", *, several: bool
) -> list[Path]:
    """A folder for the report of each benchmark, all writable; none if no report is asked for."""
    from xbench.reports.report import check_folder

    if report is None:
        return []
    names = [benchmark.name for benchmark in benchmarks]
    folders = [report / name if several else report for name in names]
    for folder in folders:
        check_folder(folder)
    if several:
        check_folder(report, names)
    return folders


def _suite_page(suite: "SuiteTree", runs: "Sequence[Run]", report: Path, command: str) -> Path:
    """The page above those of the suite's benchmarks, written."""
    from xbench.cli.standings import suite_ranks
    from xbench.reports.suite_page import write_suite_page

    title = suite.title or suite.name
    return write_suite_page(title, runs, suite_ranks(title, runs), report, command)


def _executor(sessions: Sequence[Session]) -> "Executor":
    """The one executor that all benchmarks of a run ask for."""
    executors = list(dict.fromkeys(session.executor() for session in sessions))
    if len(executors) > 1:
        asked = " and ".join(map(str, executors))
        raise MismatchError(
            f"benchmarks of one run ask for {asked}; choose with -p executor.name=…"
        )
    return executors[0]
