"""`xbench compare`: two stored entries, paired by case."""

from typing import TYPE_CHECKING, Any

import click

from xbench.cli.options import FORMAT, OUTPUT, STORE, Session, session_options

if TYPE_CHECKING:
    from xbench.results.record import Record
    from xbench.results.stored.pairing import Pairing


@click.command("compare")
@click.argument("a")
@click.argument("b")
@session_options(STORE, OUTPUT, FORMAT)
@click.option("--store-b", metavar="FOLDER|URL", help="Where B lies, if not where A does.")
@click.option("--unpaired", is_flag=True, help="Resample each for itself, whatever its cases are.")
def command(session: Session, a: str, b: str, store_b: str | None, unpaired: bool) -> None:
    """Compare two stored entries: each score of A minus that of B, paired by case.

    A and B are labels (LABEL or LABEL@BENCHMARK, the newest of them), the first digits of a
    record's key, or files of records; `xbench results` lists them. They may be of different
    runs and stores, as long as the same protocol scored the same images.
    """
    import pyarrow as pa

    from xbench.api.stored import judged
    from xbench.cli.output import print_json
    from xbench.results.long_tables import written
    from xbench.results.stored.pairing import compared
    from xbench.running.storage.store import Store

    store = session.opened_store()
    other = Store(store_b) if store_b else store
    pairing = compared(judged(a, store), judged(b, other), unpaired=unpaired)
    form = session.printed_as
    if form == "json":
        print_json(_facts(pairing))
    elif form in ("csv", "tsv"):
        click.echo(written(pa.Table.from_pylist(_facts(pairing)["scores"]), form), nl=False)
    else:
        _print(pairing, form, quiet=session.quiet)


def _print(pairing: "Pairing", form: str, *, quiet: bool) -> None:
    """What the numbers say, what was compared, and the table; in other forms the table alone."""
    from xbench.cli.output import print_lines
    from xbench.cli.standings import print_rendered
    from xbench.results.rendering import rendered
    from xbench.results.stored.pairing import conclusion, paired_table

    table = paired_table(pairing)
    if form == "text":
        print_lines(*conclusion(pairing), "")
        print_lines(f"A: {_spoken(pairing.of)}", f"B: {_spoken(pairing.minus)}", "")
        print_rendered(table)
    else:
        click.echo(rendered(table, form))
    for line in () if quiet else pairing.warnings:
        click.echo(f"note: {line}", err=True)


def _spoken(record: "Record") -> str:
    from xbench.results.stored.runs import SHORT, dataset_name, time_text

    limited = f", limited to {record.limited_to}" if record.limited_to is not None else ""
    where = f"{record.benchmark} {record.benchmark_version.partition('+')[0]}"
    return (
        f"{record.label} ({record.key[:SHORT]}), benchmark {where} on {dataset_name(record)}"
        f"{limited}, {time_text(record.times.finished)}"
    )


def _facts(pairing: "Pairing") -> dict[str, Any]:
    """Keys, labels, warnings, and all numbers of each score."""
    both = {"a": pairing.of, "b": pairing.minus}
    return {
        **{
            name: {"key": of.key, "entry": of.label, "benchmark": of.benchmark}
            for name, of in both.items()
        },
        "warnings": pairing.warnings,
        "scores": [
            {
                "score": score.score.name,
                "direction": score.score.direction,
                "headline": score.score.headline,
                "a": score.of,
                "b": score.minus,
                "verdict": score.verdict,
                **score.difference.model_dump(include={"value", "low", "high", "n", "paired"}),
                "unit": score.score.unit,
            }
            for score in pairing.scores
        ],
    }
