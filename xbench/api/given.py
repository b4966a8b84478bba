"""Explanations that were made elsewhere, scored by a benchmark in the place of its entries."""

from collections.abc import Mapping
from pathlib import Path

from xbench.components.registry import Registry
from xbench.components.specification import MADE, as_table
from xbench.errors import UsageError
from xbench.interfaces.component import Tree
from xbench.interfaces.explanation import Explanation
from xbench.interfaces.protocol import Protocol


def scored_kind(tree: Tree, registry: Registry) -> type[Explanation] | None:
    """The kind of explanation that the benchmark's protocol scores; None where it scores none."""
    protocol: type[Protocol] = registry.get("protocol", as_table(tree["protocol"])["name"])
    return protocol.scores


def given_tree(tree: Tree, registry: Registry, files: Mapping[str, Path]) -> Tree:
    """The benchmark's tree with files in the place of its entries, by label.

    Floors and ceilings stay. Explanations are of one network: that of the first repeat.
    `UsageError` where the protocol scores nothing that lies in files, or a file is not there.
    """
    kind = scored_kind(tree, registry)
    lines = [line for line in tree["entries"] if line.get("role", "entry") != "entry"]
    labels = {str(line.get("label", "")) for line in lines}
    entries = []
    for label, path in files.items():
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file")
        explainer = None if kind is None else kind.given(path)
        if explainer is None:
            what = "classifiers" if kind is None else f"{kind.name}, which no file holds"
            raise UsageError(f"benchmark {tree['name']!r} scores {what}")
        if label in labels:
            raise UsageError(f"the benchmark calls a floor {label!r}; choose another --label")
        entries.append({"label": label, "explainer": {"name": explainer.name, MADE: explainer}})
    return {**tree, "entries": [*entries, *lines], "repeats": 1, "contrasts": []}
