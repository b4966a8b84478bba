"""`xbench train`: weights for a classifier on a dataset."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xbench.cli.options import CHOICE, NO_TRAIN, OUTPUT, WORK, Session, session_options

if TYPE_CHECKING:
    from xbench.interfaces.artefact import Artefact
    from xbench.interfaces.protocol import Entry


@click.command("train")
@session_options(CHOICE, WORK, NO_TRAIN, OUTPUT)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the weights here (.safetensors).",
)
def command(session: Session, out: Path | None) -> None:
    """Train a classifier, or find its trained weights in the store.

    The training is the one that the benchmark declares with these options, also where
    `xbench run` takes the weights of reference networks in its place. One that was killed
    goes on after its last finished epoch.
    """
    from xbench.cli.output import print_json, print_lines, progress
    from xbench.running.planning.forecast import announce
    from xbench.running.provider import Provider
    from xbench.running.runner import check_benchmark
    from xbench.training.recipe import weights_recipe

    benchmark = session.assembled(scored=False)
    check_benchmark(benchmark)
    store = session.opened_store()
    store.check_writable()
    entry = replace(next(benchmark.entries(benchmark.lines[0])), weights=None)
    with progress(session.quiet or session.json) as reporter:
        provider, recipe = Provider(store, session.workplace(reporter)), weights_recipe(entry)
        announce([recipe], provider, train=not session.no_train)
        weights = provider.one(recipe)
        pin = None if out is None else _written(out, provider.one(recipe.whole), entry)
    if session.json:
        print_json({"key": weights.key, **weights.facts, **({"pin": pin} if pin else {})})
    else:
        print_lines(
            *weights.facts.get("summary", []),
            f"weights {weights.key}",
            *(_as_told(pin) if pin else []),
        )


def _written(out: Path, whole: "Artefact", entry: "Entry") -> dict[str, str]:
    """Write a file that benchmarks can pin, and say how."""
    from xbench.benchmark.pins import companion_hash, images_hash
    from xbench.networks.weights import write_state
    from xbench.training.pinned_weights import sha256_of

    write_state(out, whole.tensors, whole.facts)
    return {
        "path": str(out),
        "sha256": sha256_of(out),
        "trained_on": images_hash(entry.datasets["train"]),
        "trained_with": companion_hash(entry.companion),
    }


def _as_told(pin: dict[str, str]) -> list[str]:
    """What a benchmark file says to pin the weights of a file."""
    told = ", ".join(f'{key} = "{value}"' for key, value in pin.items() if value)
    lines = f"written to {pin['path']}; a benchmark file pins them by", "[weights]"
    return [*lines, f"files = [{{ {told} }}]"]
