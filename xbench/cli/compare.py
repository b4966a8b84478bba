"""`xbench compare`: two stored entries, paired by case."""

from typing import TYPE_CHECKING, Any

import click

from xbench.cli.options import OUTPUT, STORE, Session, session_options

if TYPE_CHECKING:
    from xbench.results.record import Record
    from xbench.results.stored.pairing import ComparedScore, Comparison


@click.command("compare")
@click.argument("a")
@click.argument("b")
@session_options(STORE, OUTPUT)
@click.option("--store-b", metavar="FOLDER|URL", help="Where B lies, if not where A does.")
@click.option("--unpaired", is_flag=True, help="Resample each for itself, whatever its cases are.")
def command(session: Session, a: str, b: str, store_b: str | None, unpaired: bool) -> None:
    """Compare two stored entries: each score of A minus that of B, paired by case.

    A and B are labels (LABEL or LABEL@BENCHMARK, the newest of them), the first digits of a
    record's key, or files of records; `xbench results` lists them. They may be of different
    runs and stores, as long as the same protocol scored the same images.
    """
    from xbench.api.stored import judged
    from xbench.cli.output import print_json
    from xbench.results.stored.pairing import compared
    from xbench.running.storage.store import Store

    store = session.opened_store()
    other = Store(store_b) if store_b else store
    comparison = compared(judged(a, store), judged(b, other), unpaired=unpaired)
    if session.json:
        print_json(_facts(comparison))
    else:
        _print(comparison, quiet=session.quiet)


def _print(comparison: "Comparison", *, quiet: bool) -> None:
    from xbench.cli.output import print_lines, print_table
    from xbench.results.stored.pairing import conclusion

    print_lines(f"A: {_spoken(comparison.of)}", f"B: {_spoken(comparison.minus)}")
    print_lines(*conclusion(comparison))
    columns = ["score", "A", "B", "A − B", "interval", "cases", "A is"]
    paired = comparison.scores[0].difference.paired
    title = f"A − B, {'paired by case' if paired else 'unpaired'}, with {_level(comparison)}"
    print_table(title, columns, [_row(score) for score in comparison.scores])
    for line in () if quiet else comparison.warnings:
        click.echo(f"note: {line}", err=True)


def _level(comparison: "Comparison") -> str:
    return f"{comparison.of.intervals.level:.0%} intervals".replace("%", " %")


def _spoken(record: "Record") -> str:
    from xbench.results.stored.cells import time_text
    from xbench.results.stored.runs import SHORT, dataset_name

    limited = f", limited to {record.limited_to}" if record.limited_to is not None else ""
    where = f"{record.benchmark} {record.benchmark_version.partition('+')[0]}"
    return (
        f"{record.label} ({record.key[:SHORT]}), benchmark {where} on {dataset_name(record)}"
        f"{limited}, {time_text(record.times.finished)}"
    )


def _row(score: "ComparedScore") -> list[str]:
    from xbench.results.stored.cells import difference_text, unit_text, value_text

    own, made = score.score, score.difference
    return [
        f"{own.name}{unit_text(own.unit)}",
        value_text(score.of, own.unit),
        value_text(score.minus, own.unit),
        *difference_text(made),
        str(made.n),
        score.verdict,
    ]


def _facts(comparison: "Comparison") -> dict[str, Any]:
    """Keys, labels, warnings, and all numbers of each score."""
    both = {"a": comparison.of, "b": comparison.minus}
    return {
        **{
            name: {"key": of.key, "entry": of.label, "benchmark": of.benchmark}
            for name, of in both.items()
        },
        "warnings": comparison.warnings,
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
            for score in comparison.scores
        ],
    }
