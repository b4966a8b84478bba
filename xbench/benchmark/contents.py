"""Contents: what benchmark files compare, on what, and which components are in them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from xbench.benchmark.declaration import parsed_file, read
from xbench.benchmark.grid import extent
from xbench.benchmark.lines import entry_tables
from xbench.benchmark.suite import is_suite
from xbench.components.registry import Registry
from xbench.components.specification import Builder, as_table
from xbench.errors import XbenchError
from xbench.interfaces.component import Tree

MOST_LABELS = 3


class Contents(NamedTuple):
    """What a benchmark's file says."""

    name: str
    title: str
    compares: str
    """Its entries, floors and ceilings, in words."""
    protocol: str
    dataset: Any
    """The specification."""
    tree: Tree


def contents(path: Path) -> Contents:
    """What a benchmark, or a suite, is about."""
    if is_suite(path):
        suite = parsed_file(path)
        count = f"a suite of {len(suite['suite'])} benchmarks"
        return Contents(path.stem, suite.get("title", ""), count, "", None, {})
    tree = read(path)
    protocol = as_table(tree["protocol"])["name"]
    return Contents(
        path.stem, tree.get("title", ""), _compares(tree), protocol, tree["dataset"], tree
    )


def installed_contents(registry: Registry) -> Iterator[Contents]:
    """Those of all installed benchmarks whose files can be read."""
    for name in registry.names("benchmark"):
        try:
            yield contents(registry.get("benchmark", name))
        except XbenchError:
            continue


def benchmarks_with(kind: str, name: str, registry: Registry) -> list[str]:
    """Names of the benchmarks that have a component in what they run without options."""
    return [of.name for of in installed_contents(registry) if _has(of, kind, name)]


def benchmarks_scoring(cls: type, registry: Registry) -> list[str]:
    """Names of the benchmarks whose protocol scores what an explainer makes.

    The first is one whose data is here, if there is one.
    """
    makes = getattr(cls, "makes", None)
    scored = {name: _scored(name, registry) for name in registry.names("protocol")}
    fitting = {name for name, kind in scored.items() if kind and makes and issubclass(makes, kind)}
    scoring = [of for of in installed_contents(registry) if of.protocol in fitting]
    ready = next((of for of in scoring if _is_ready(of, registry)), None)
    return [of.name for of in sorted(scoring, key=lambda of: of is not ready)]


def _is_ready(of: Contents, registry: Registry) -> bool:
    """Whether the data of a benchmark is here."""
    try:
        builder = Builder(registry, of.tree.get("defaults", {}))
        builder.build("dataset", of.dataset).check()
    except XbenchError:
        return False
    return True


def _scored(protocol: str, registry: Registry) -> type | None:
    try:
        kind: type | None = getattr(registry.get("protocol", protocol), "scores", None)
    except XbenchError:
        return None
    return kind


def _has(of: Contents, kind: str, name: str) -> bool:
    """Whether a table called after the kind names the component, but for what is only offered."""
    apart = ("variants", "with", "defaults", "contrasts", "published")
    tree = {key: value for key, value in of.tree.items() if key not in apart}
    return name in set(_names(tree, kind))


def _names(tree: Any, kind: str) -> Iterator[str]:
    if isinstance(tree, list):
        for item in tree:
            yield from _names(item, kind)
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            if key == kind and isinstance(value, (str, dict)):
                yield str(as_table(value).get("name", "")).partition(":")[0]
            yield from _names(value, kind)


def _compares(tree: Tree) -> str:
    entries = entry_tables(tree)
    roles = Counter(entry["role"] for entry in entries)
    own = [entry for entry in entries if entry["role"] == "entry"]
    cells = [entry.get("cell", {}) for entry in own]
    labels = [entry["label"] for entry in own]
    more = f" and {len(labels) - MOST_LABELS} more" if len(labels) > MOST_LABELS else ""
    what = extent(cells) or f"{'; '.join(labels[:MOST_LABELS])}{more}"
    beside = [_counted(roles[role], role) for role in ("floor", "ceiling") if roles[role]]
    return f"{what} beside {', '.join(beside)}" if beside else what


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
