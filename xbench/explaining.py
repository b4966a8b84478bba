"""Explaining single images: what `xbench explain` does."""

from collections.abc import Sequence
from pathlib import Path

from xbench import photos
from xbench.benchmark import Benchmark
from xbench.dataset import Batch
from xbench.executor import Workplace
from xbench.explanation import save_explanations
from xbench.randomness import generator
from xbench.runner import Provider, check
from xbench.store import Store
from xbench.training import recipe_for
from xbench.transform import Transform


def explain(
    benchmark: Benchmark,
    batches: Sequence[tuple[str, Batch]],
    store: Store,
    workplace: Workplace,
    out: Path,
    suffix: str,
) -> list[Path]:
    """Explain each named batch with the benchmark's first entry; write pictures and values."""
    check(benchmark)
    store.check_writable()
    entry = next(benchmark.entries(benchmark.lines[0]))
    provider = Provider(store, workplace)
    recipe = recipe_for(entry)
    weights = provider.one(recipe)
    artefacts = provider.all(entry.explainer.artefacts(recipe, entry.datasets))
    network = workplace.network(entry.classifier, weights)
    class_names = benchmark.datasets["test"].dataset.class_names()
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, batch in batches:
        moved = batch.to(workplace.device)
        made = entry.explainer.explain(network, moved, artefacts, generator(entry.seed))
        picture, values = out / f"{name}.{suffix}", out / f"{name}.safetensors"
        figure = made[0].draw(batch, benchmark.datasets["train"], class_names)
        figure.savefig(picture, bbox_inches="tight")
        save_explanations(values, made)
        written += [picture, values]
    return written


def photo_batch(path: Path, transform: Transform) -> Batch:
    """A photo from a file as a batch of one image, seen through the transform."""
    return Batch(transform.image(photos.decode(path, "photo", upright=True))[None], (0,))
