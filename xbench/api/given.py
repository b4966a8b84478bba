"""Explanations that were made elsewhere, scored by a benchmark in the place of its entries."""

from collections.abc import Mapping
from pathlib import Path

from xbench.api.setting import builder_of
from xbench.components.registry import Registry
from xbench.components.specification import MADE
from xbench.errors import UsageError
from xbench.interfaces.component import Tree
from xbench.interfaces.explanation import Explainer


def given_explainer(tree: Tree, registry: Registry, path: Path) -> Explainer | None:
    """What gives the explanations in a file to the benchmark; None where it scores no files."""
    protocol = builder_of(tree, registry).build("protocol", tree["protocol"])
    explainer: Explainer | None = protocol.given(path)
    return explainer


def given_tree(tree: Tree, registry: Registry, files: Mapping[str, Path]) -> Tree:
    """The benchmark's tree with files in the place of its entries, by label.

    Floors and ceilings stay. Explanations are of one network: that of the first repeat.
    `UsageError` where the protocol scores nothing that lies in files, or a file is not there.
    """
    lines = [line for line in tree["entries"] if line.get("role", "entry") != "entry"]
    labels = {str(line.get("label", "")) for line in lines}
    entries = []
    for label, path in files.items():
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file")
        if label in labels:
            raise UsageError(f"the benchmark calls a floor {label!r}; choose another --label")
        explainer = given_explainer(tree, registry, path)
        if explainer is None:
            raise UsageError(f"benchmark {tree['name']!r} scores nothing that lies in files")
        entries.append({"label": label, "explainer": {"name": explainer.name, MADE: explainer}})
    return {**tree, "entries": [*entries, *lines], "repeats": 1, "contrasts": []}
