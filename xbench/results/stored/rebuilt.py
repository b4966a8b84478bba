"""Benchmarks rebuilt from records: as much as is needed to show a stored run again."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, cast

from xbench.benchmark.assembly import Benchmark
from xbench.benchmark.contrasts import Contrast
from xbench.benchmark.lines import Line
from xbench.benchmark.published import read_published
from xbench.components.registry import Registry
from xbench.components.specification import Builder
from xbench.errors import XbenchError
from xbench.interfaces.component import Tree
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.protocol import Protocol
from xbench.results.record import ContrastRecord, HeadingRecord, Record

CASE = "case"
"""What a case is called where neither a record nor an installed protocol says it."""


def heading_record(benchmark: Benchmark, label: str) -> HeadingRecord:
    """What the record of an entry says of its benchmark, so that it can be shown from records."""
    published = benchmark.published
    labels = [line.label for line in benchmark.lines]
    return HeadingRecord(
        title=benchmark.title,
        case=benchmark.protocol.case,
        place=labels.index(label) if label in labels else len(labels),
        variants=list(benchmark.varied),
        remarks=list(benchmark.remarks),
        contrasts=[ContrastRecord(**asdict(contrast)) for contrast in benchmark.contrasts],
        published=_listed(asdict(published)) if published else None,
    )


def rebuilt(records: Sequence[Record], registry: Registry) -> Benchmark:
    """The benchmark of a stored run, with all that results are shown with and no more.

    It cannot be run: its components are only names, but for the protocol where that is
    installed. Of records of before, title, variants and contrasts are not known.
    """
    first = records[0]
    heading = first.heading or HeadingRecord(title="", case=CASE, place=0)
    images: Any = {role: _images(of) for role, of in first.datasets.items()}
    unknown: Any = None
    return Benchmark(
        name=first.benchmark,
        version=first.benchmark_version,
        title=heading.title,
        protocol=_protocol(first, heading.case, registry),
        datasets=images,
        classifier=unknown,
        loss=unknown,
        training=unknown,
        lines=tuple(_line(record) for record in records),
        contrasts=tuple(Contrast(of.title, of.of, of.minus) for of in heading.contrasts),
        seed=min(first.seeds, default=0),
        repeats=max(len(first.seeds), len(first.rows), 1),
        published=read_published(heading.published) if heading.published else None,
        varied=tuple(heading.variants),
        remarks=tuple(heading.remarks),
        suite=first.suite or "",
    )


class _Named(NamedTuple):
    """A dataset of which only the name is known."""

    name: str


@dataclass(frozen=True)
class _NamedProtocol:
    """A protocol that is not installed here."""

    name: str
    case: str

    def terms(self) -> Mapping[str, str]:
        """What its words mean, which only the protocol knows."""
        return {}


def _images(tree: Tree) -> ImageSet:
    """The image set that a record tells of; its dataset is only a name."""
    dataset: Any = _Named(str(tree.get("dataset", {}).get("name", "?")))
    return ImageSet(dataset, str(tree.get("split", "")))


def _line(record: Record) -> Line:
    unknown: Any = None
    parts = dict.fromkeys(("explainer", "classifier", "loss", "training"), unknown)
    return Line(label=record.label, role=record.role, cell=record.grid, **parts)


def _protocol(record: Record, case: str, registry: Registry) -> Protocol:
    """The protocol with its parameters; only its name where these are no more to be had."""
    try:
        return cast("Protocol", Builder(registry).build("protocol", specified(record.protocol)))
    except XbenchError:
        return cast("Protocol", _NamedProtocol(str(record.protocol.get("name", "?")), case))


def specified(tree: Any) -> Any:
    """The specification of a component from its tree in a record."""
    if isinstance(tree, list):
        return [specified(item) for item in tree]
    if not isinstance(tree, Mapping):
        return tree
    if {"kind", "name", "parameters"} <= tree.keys():
        return {"name": tree["name"], **specified(tree["parameters"])}
    return {key: specified(value) for key, value in tree.items()}


def _listed(tree: Any) -> Any:
    """The tree with lists in the place of tuples, as JSON has them."""
    if isinstance(tree, Mapping):
        return {key: _listed(value) for key, value in tree.items()}
    return [_listed(item) for item in tree] if isinstance(tree, (tuple, list)) else tree
