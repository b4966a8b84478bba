"""`xbench train`: weights for a classifier on a dataset."""

from pathlib import Path

import click

from xbench.cli.options import CHOICE, NO_TRAIN, OUTPUT, WORK, Session, session_options


@click.command("train")
@session_options(CHOICE, WORK, NO_TRAIN, OUTPUT)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the weights here (.safetensors).",
)
def command(session: Session, out: Path | None) -> None:
    """Train a classifier, or find its trained weights in the store.

    The training is the one that `xbench run` would do with the same options. A training
    that was killed goes on after its last finished epoch.
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
    entry = next(benchmark.entries(benchmark.lines[0]))
    with progress(session.quiet or session.json) as reporter:
        provider, recipe = Provider(store, session.workplace(reporter)), weights_recipe(entry)
        announce([recipe], provider, train=not session.no_train)
        weights = provider.one(recipe)
    if out is not None:
        from safetensors.torch import save_file

        save_file({k: t.contiguous() for k, t in weights.tensors.items()}, out)
    if session.json:
        print_json({"key": weights.key, **weights.facts})
    else:
        print_lines(
            *weights.facts.get("summary", []),
            f"weights {weights.key}",
            *([f"written to {out}"] if out else []),
        )
