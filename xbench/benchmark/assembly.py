"""Benchmarks: TOML files that say what is compared on what, read into frozen values."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from xbench.benchmark.contrasts import Contrast, contrasts, with_labels
from xbench.benchmark.declaration import benchmark_file, check_names, declared
from xbench.benchmark.ensembles import check_ensembles
from xbench.benchmark.fit import Wanted, fitting_entries, fitting_protocol
from xbench.benchmark.grid import extent
from xbench.benchmark.image_sets import image_sets
from xbench.benchmark.lines import (
    Line,
    entry_tables,
    explanation_of,
    lines_of,
    own_parts,
    subjects,
)
from xbench.benchmark.pins import check_pins, pinned, still_pinned
from xbench.benchmark.published import Published, read_published
from xbench.components.registry import Registry, installed
from xbench.components.specification import Builder, checked_defaults, plain_table
from xbench.errors import MismatchError, ParameterError
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Tree
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.interfaces.data.transform import Transform
from xbench.interfaces.loss import Loss
from xbench.interfaces.protocol import Entry, Protocol
from xbench.interfaces.readout import Difficulty
from xbench.interfaces.training import Training
from xbench.training.live_weights import LiveState
from xbench.training.pinned_weights import WeightsSource
from xbench.training.recipe import plan_of

Pinned: TypeAlias = tuple[WeightsSource | LiveState, ...]


@dataclass(frozen=True)
class Benchmark:
    """Everything a run needs to know, and nothing about where it runs."""

    name: str
    version: str
    title: str
    protocol: Protocol
    datasets: Mapping[str, ImageSet]
    classifier: Classifier
    loss: Loss
    training: Training
    lines: tuple[Line, ...]
    contrasts: tuple[Contrast, ...]
    seed: int
    repeats: int
    companion: Difficulty | None = None
    """What all classifiers are trained jointly with, if with anything."""
    published: Published | None = None
    varied: tuple[str, ...] = ()
    """Names of the variants that were laid on the file."""
    remarks: tuple[str, ...] = ()
    """What is not as the file has it because something else was chosen, in a line each."""
    suite: str = ""
    """Name of the suite that it is run in."""
    weights: Pinned = ()

    @property
    def notices(self) -> tuple[str, ...]:
        """What is to be said before a run: the size of the grid, and the remarks."""
        size = extent(line.cell for line in self.lines if line.role == "entry")
        return tuple(filter(None, (size, *self.remarks)))

    def entries(self, line: Line) -> Iterator[Entry]:
        """The line's entry for each repeat."""
        for repeat in range(self.repeats):
            yield self._entry(line, repeat)

    def _entry(self, line: Line, repeat: int) -> Entry:
        common = Entry(
            label=line.label,
            role=line.role,
            explainer=line.explainer,
            classifier=self.classifier,
            loss=self.loss,
            training=self.training,
            datasets=self.datasets,
            repeat=repeat,
            seed=self.seed + repeat,
            companion=self.companion,
            cell=line.cell,
        )
        common = replace(common, weights=pinned(self.weights, plan_of(common), repeat))
        if line.ensemble:
            lines = {other.label: other for other in self.lines}
            members = tuple(self._entry(lines[label], repeat) for label in line.ensemble)
            return replace(common, weights=None, members=members)
        own = (line.classifier, line.loss, line.training, line.weights)
        if own == (self.classifier, self.loss, self.training, self.weights):
            return common
        entry = replace(
            common,
            classifier=line.classifier,
            loss=line.loss,
            training=line.training,
            common=common,
            weights=None,
        )
        return replace(entry, weights=pinned(line.weights, plan_of(entry), repeat))


def load_benchmark(
    name: str,
    registry: Registry | None = None,
    *,
    dataset: str | None = None,
    variants: Sequence[str] = (),
    explainer: str | None = None,
    changes: Tree | None = None,
) -> Benchmark:
    """The benchmark of this name, or in a `.toml` file of this path, with what is chosen of it.

    `changes` are nested as `-p` paths are: `{"training": {"epochs": 5}, "seed": 1}`.
    """
    known = registry or installed()
    chosen = (dataset, variants, explainer, [changes or {}])
    tree = declared(benchmark_file(name, known), *chosen, registry=known)
    return assemble(tree, known)


def assemble(tree: Tree, registry: Registry, *, scored: bool = True) -> Benchmark:
    """The benchmark that the tree describes; every component is built and checked.

    With `scored=False` the protocol need not fit: nothing is going to be scored.
    """
    builder = Builder(registry, checked_defaults(tree.get("defaults", {}), registry))
    dataset: Dataset = builder.build("dataset", tree["dataset"])
    protocol: Protocol = builder.build("protocol", tree["protocol"])
    entries = entry_tables(tree)
    remarks: tuple[str, ...] = ()
    if scored:
        protocol, entries, remarks = _fitting(tree, protocol, entries, dataset, builder)
    lines = tuple(lines_of(tree, entries, protocol, builder))
    check_names(tree["name"], [line.label for line in lines])
    check_ensembles({line.label: line.ensemble for line in lines})
    own, published = own_parts(tree, {}, builder), tree.get("published")
    transform, resized = _transform(tree, own["classifier"])
    datasets = image_sets(tree, transform, dataset, builder)
    companion = _companion(lines, protocol, scored=scored)
    kept = partial(still_pinned, images=datasets["train"], companion=companion)
    lines, own["weights"], retrained = _pinned(lines, own["weights"], kept, protocol)
    return Benchmark(
        name=tree["name"],
        version=str(tree["version"]),
        title=tree.get("title", ""),
        protocol=protocol,
        datasets=datasets,
        **own,
        lines=lines,
        contrasts=tuple(contrasts(tree, lines)),
        seed=_whole(tree, "seed", 0),
        repeats=_repeats(tree, own["weights"], lines),
        companion=companion,
        published=read_published(with_labels(published, lines)) if published else None,
        varied=tuple(tree.get("varied", ())),
        remarks=(*tree.get("remarks", ()), *remarks, *resized, *retrained),
        suite=tree.get("suite", ""),
    )


def _fitting(
    tree: Tree, own: Protocol, entries: list[Tree], dataset: Dataset, builder: Builder
) -> tuple[Protocol, list[Tree], tuple[str, ...]]:
    """The protocol that scores what the entries make, the entries that fit, and remarks on both."""
    chosen = tree.get("chosen", ())
    wanted = Wanted(explanation_of(entries, builder), dataset, tree.get("asked", {}))
    protocol = fitting_protocol(own, wanted, builder, chosen)
    strict = not (protocol.remark or {"explainer", "protocol"}.intersection(chosen))
    if protocol.beside is not None:
        entries = [*subjects(entries), *protocol.beside]
    fitting = fitting_entries(entries, protocol.protocol, builder, strict=strict)
    remarks = tuple(filter(None, (protocol.remark, fitting.remark)))
    return protocol.protocol, fitting.entries, remarks


def _repeats(tree: Tree, own: Pinned, lines: tuple[Line, ...]) -> int:
    """How many repeats the tree asks for; where it does not say it, each pinned network has one."""
    networks = sum(not isinstance(one, LiveState) for one in own)
    repeats = _whole(tree, "repeats", max(1, networks), least=1)
    check_pins([own, *(line.weights for line in lines)], repeats)
    return repeats


def _pinned(
    lines: tuple[Line, ...], own: Pinned, kept: Callable[..., bool], protocol: Protocol
) -> tuple[tuple[Line, ...], Pinned, tuple[str, ...]]:
    """Lines and weights without those of another training, and a remark on that.

    Protocols that train say so themselves.
    """
    every = {own, *(line.weights for line in lines)}
    left = {pins for pins in every if not kept(pins, trains=protocol.trains)}
    if not left:
        return lines, own, ()
    remark = "the benchmark's own weights are of another training: classifiers are trained"
    trained = (replace(line, weights=()) if line.weights in left else line for line in lines)
    return tuple(trained), () if own in left else own, () if protocol.trains else (remark,)


def _companion(lines: tuple[Line, ...], protocol: Protocol, *, scored: bool) -> Difficulty | None:
    """The one difficulty score that classifiers have to be trained with, if there is one."""
    asked = [line.explainer.companion() for line in lines if line.explainer is not None]
    asked.append(protocol.companion() if scored else None)
    companions = list(dict.fromkeys(one for one in asked if one is not None))
    if len(companions) > 1:
        raise MismatchError(
            "the entries need classifiers that are trained in different ways, jointly with "
            f"{' and with '.join(map(str, companions))}; compare them in runs of their own"
        )
    return companions[0] if companions else None


def _transform(tree: Tree, classifier: Classifier) -> tuple[Transform, tuple[str, ...]]:
    """The file's transform, or what a network of one size needs, and a remark on that."""
    transform = plain_table(Transform, tree.get("transform", {}), "transform")
    if transform != Transform() or not classifier.takes_one_size():
        return transform, ()
    size = classifier.input_size()
    remark = f"images are fitted to {size} × {size} pixels, the one size that classifier "
    return Transform(resize=size, crop=size), (f"{remark}{classifier.name!r} takes here",)


def _whole(tree: Tree, key: str, default: int, least: int = 0) -> int:
    value = tree.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ParameterError(f"{key}: expected a whole number of at least {least}, got {value!r}")
    return value
