"""`xbench run`: the whole chain, from a benchmark to records."""

from typing import Any

import click

from xbench.cli.options import CHOICE, OUTPUT, WORK, Session, session_options


@click.command("run")
@session_options(CHOICE, WORK, OUTPUT)
@click.option(
    "--repeats", type=click.IntRange(1), help="Trainings and runs, each with its own seed."
)
@click.option("--limit", type=click.IntRange(1), help="Explain at most so many images.")
def command(session: Session, limit: int | None) -> None:
    """Run a benchmark: train, explain, score and record.

    Without options this is `benchmarks/default.toml`. What was made before is found in the
    store and not made again, also after a kill.
    """
    from xbench.cli.output import print_json, progress
    from xbench.cli.results import print_results
    from xbench.runner import record_path, run

    benchmark = session.assembled()
    store = session.opened_store()
    with progress(session.quiet or session.json) as reporter:
        workplace = session.workplace(reporter)
        records = run(benchmark, store, session.executor(), workplace, limit=limit)
    if session.json:
        print_json([record.model_dump() for record in records])
        return
    paths: list[Any] = [
        f"{store.url.rstrip('/')}/records/{record_path(record)}" for record in records
    ]
    print_results(benchmark, records, paths)
