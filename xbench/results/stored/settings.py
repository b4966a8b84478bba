"""Settings: the parameters of a record by their paths, and by which of them records differ."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from xbench.results.record import Record

Settings = dict[str, Any]
"""Values by the paths that `-p` options have."""
_VERSIONS = ("kind", "version", "distribution", "distribution_version", "fingerprint")
"""What of a component's tree is no parameter."""


def settings(record: Record) -> Settings:
    """The parameters of protocol, components and tested dataset, and the seeds."""
    tree = {
        "protocol": record.protocol,
        **record.components,
        "dataset": record.datasets.get("test", {}).get("dataset", {}),
        "seed": record.seeds,
    }
    return dict(_paths(tree, ""))


def flat(tree: Any) -> Settings:
    """The parameters of one component by their paths."""
    return dict(_paths(tree, ""))


def peculiar(records: Sequence[Record]) -> dict[str, Settings]:
    """By key, in what a record is not as most of the same label and benchmark are, or the first."""
    groups: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.times.finished):
        groups[record.benchmark, record.label].append(record)
    return {key: own for group in groups.values() for key, own in _peculiar(group)}


def _peculiar(group: Sequence[Record]) -> Iterator[tuple[str, Settings]]:
    of_each = [settings(record) for record in group]
    usual = {path: _usual([own.get(path) for own in of_each]) for own in of_each for path in own}
    for record, own in zip(group, of_each, strict=True):
        yield (
            record.key,
            {path: value for path, value in own.items() if repr(value) != repr(usual[path])},
        )


def _usual(values: Sequence[Any]) -> Any:
    """The value that most have; of several, the one that comes first."""
    texts = [repr(value) for value in values]  # lists have no hash
    return values[texts.index(Counter(texts).most_common(1)[0][0])]


def _paths(tree: Any, place: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(tree, Mapping):
        yield place, tree
        return
    is_component = {"kind", "name"} <= tree.keys() and isinstance(tree.get("parameters"), Mapping)
    if is_component:
        yield place, tree["name"]
    inner = tree["parameters"] if is_component else tree
    for key, value in inner.items():
        if is_component or key not in _VERSIONS:
            yield from _paths(value, f"{place}.{key}".strip("."))
