"""Explaining single images: what `xbench explain` does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xbench.benchmark.assembly import Benchmark
from xbench.files import photos
from xbench.interfaces.classifier import Network
from xbench.interfaces.data.dataset import Batch
from xbench.interfaces.data.transform import Transform
from xbench.interfaces.explanation import Explanation, save_explanations
from xbench.interfaces.protocol import Entry
from xbench.reports.figures import save_figure
from xbench.running.bench import LocalBench
from xbench.running.planning.forecast import announce
from xbench.running.runner import check_benchmark
from xbench.running.storage.store import Store
from xbench.running.workplace import LocalWorkplace
from xbench.training.recipe import subject_of, weights_recipe


@dataclass(frozen=True, eq=False)
class PreparedEntry:
    """An entry at a bench where its explainer finds all that it needs, or makes it."""

    entry: Entry
    bench: LocalBench

    @property
    def network(self) -> Network:
        """The network that is explained."""
        weights = self.bench.provider.one(weights_recipe(self.entry))
        return self.bench.network(self.entry.classifier, weights)

    def explain(self, batch: Batch) -> Sequence[Explanation]:
        """An explanation of each image; images of the benchmark get the one that is scored."""
        explainer, subject = self.entry.required_explainer, subject_of(self.entry)
        if batch.source is None:
            return self.bench.explain(explainer, subject, batch)
        return self.bench.explanations(explainer, subject, batch.source, batch.ids)


def prepared_entry(
    entry: Entry, store: Store, workplace: LocalWorkplace, *, train: bool = True
) -> PreparedEntry:
    """The entry; what its explainer needs is taken from the store or made now.

    Without `train`, `UsageError` where that is to be trained.
    """
    ready = PreparedEntry(entry, LocalBench(workplace, store))
    recipes = subject_of(entry).artefacts(entry.required_explainer)
    needed = [weights_recipe(entry), *recipes.values()]
    announce(needed, ready.bench.provider, train=train)
    ready.bench.provider.all(recipes)
    return ready


def explain(
    benchmark: Benchmark,
    batches: Sequence[tuple[str, Batch]],
    store: Store,
    workplace: LocalWorkplace,
    out: Path,
    suffix: str,
    *,
    train: bool = True,
) -> list[Path]:
    """Explain each named batch with the benchmark's first entry; write pictures and values.

    Without `train`, `UsageError` where the store lacks weights that are to be trained.
    """
    check_benchmark(benchmark)
    store.check_writable()
    ready = prepared_entry(
        next(benchmark.entries(benchmark.lines[0])), store, workplace, train=train
    )
    class_names = benchmark.datasets["test"].dataset.class_names()
    written = []
    for name, batch in batches:
        explanations = ready.explain(batch)
        out.mkdir(parents=True, exist_ok=True)  # not before: a refused explanation leaves nothing
        picture, values = out / f"{name}.{suffix}", out / f"{name}.safetensors"
        figure = explanations[0].draw(batch, benchmark.datasets["train"], class_names)
        save_figure(figure, picture)
        save_explanations(values, explanations)
        written += [picture, values]
    return written


def photo_batch(path: Path, transform: Transform, side: int = 0) -> Batch:
    """A photo from a file as a batch of one image, seen through the transform.

    With a `side` it is fitted to a square of so many pixels instead.
    """
    if side:
        square = photos.square_photo(path, "photo", side, upright=True)
        return Batch(Transform().image(square)[None], (0,))
    return Batch(transform.image(photos.decode_photo(path, "photo", upright=True))[None], (0,))
