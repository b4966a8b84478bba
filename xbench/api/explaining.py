"""Explaining single images: what `xbench explain` does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xbench.benchmark.assembly import Benchmark
from xbench.files import photos
from xbench.interfaces.artefact import Artefacts
from xbench.interfaces.classifier import Network
from xbench.interfaces.data.dataset import Batch
from xbench.interfaces.data.transform import Transform
from xbench.interfaces.explanation import Explanation, explained, save_explanations
from xbench.interfaces.protocol import Entry
from xbench.reports.figures import save_figure
from xbench.running.runner import Provider, check_benchmark
from xbench.running.store import Store
from xbench.running.workplace import LocalWorkplace
from xbench.training.recipe import weights_recipe


@dataclass(frozen=True, eq=False)
class PreparedEntry:
    """An entry with all that its explainer needs."""

    entry: Entry
    network: Network
    artefacts: Artefacts

    def explain(self, batch: Batch) -> Sequence[Explanation]:
        """An explanation of each image; images of the benchmark get the one that is scored."""
        moved, source = batch.to(self.network.device), self.entry.source()
        explainer = self.entry.required_explainer
        return explained(explainer, self.network, moved, self.artefacts, source)


def prepared_entry(entry: Entry, provider: Provider) -> PreparedEntry:
    """The entry, its artefacts taken from the store or made now."""
    recipe = weights_recipe(entry)
    declared = entry.required_explainer.artefacts(recipe, entry.datasets)
    weights = provider.one(recipe)
    artefacts = provider.all(declared)
    network = provider.workplace.network(entry.classifier, weights)
    return PreparedEntry(entry, network, artefacts)


def explain(
    benchmark: Benchmark,
    batches: Sequence[tuple[str, Batch]],
    store: Store,
    workplace: LocalWorkplace,
    out: Path,
    suffix: str,
) -> list[Path]:
    """Explain each named batch with the benchmark's first entry; write pictures and values."""
    check_benchmark(benchmark)
    store.check_writable()
    ready = prepared_entry(next(benchmark.entries(benchmark.lines[0])), Provider(store, workplace))
    class_names = benchmark.datasets["test"].dataset.class_names()
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, batch in batches:
        explanations = ready.explain(batch)
        picture, values = out / f"{name}.{suffix}", out / f"{name}.safetensors"
        figure = explanations[0].draw(batch, benchmark.datasets["train"], class_names)
        save_figure(figure, picture)
        save_explanations(values, explanations)
        written += [picture, values]
    return written


def photo_batch(path: Path, transform: Transform) -> Batch:
    """A photo from a file as a batch of one image, seen through the transform."""
    return Batch(transform.image(photos.decode_photo(path, "photo", upright=True))[None], (0,))
