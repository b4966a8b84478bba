"""Trees of records beside those of what is installed: whether they are alike, and in what not."""

from collections.abc import Iterator, Mapping
from typing import Any

from xbench.interfaces.component import Tree, fingerprint

PARAMETERS = "parameters"


def same(one: Any, other: Any) -> bool:
    """Whether trees of components are alike, whichever distributions they came with."""
    return fingerprint(_unversioned(one)) == fingerprint(_unversioned(other))


def _unversioned(tree: Any) -> Any:
    return without(tree, "distribution_version")


def without(tree: Any, name: str) -> Any:
    """The tree without the fields of this name, wherever they stand."""
    if isinstance(tree, list | tuple):
        return [without(item, name) for item in tree]
    if not isinstance(tree, Mapping):
        return tree
    return {key: without(value, name) for key, value in tree.items() if key != name}


def differing(one: Tree, other: Tree) -> str:
    """The first thing in which two trees differ."""
    names = [str(tree.get("name", "?")) for tree in (one, other)]
    if names[0] != names[1]:
        return f"{names[0]} in the place of {names[1]}"
    ours, theirs = (dict(_leaves(_unversioned(tree))) for tree in (one, other))
    for path in [*ours, *theirs]:
        if ours.get(path) != theirs.get(path):
            return f"{path} is {ours.get(path)!r:.60}, not {theirs.get(path)!r:.60}"
    return "in what they are made of"


def _leaves(tree: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a tree by their paths, parameters first.

    Of a stranger's tree nothing is sure but that it is one.
    """
    if not isinstance(tree, Mapping):
        yield place or "the whole", tree
        return
    for key in sorted(tree, key=lambda key: key != PARAMETERS):
        inner = place if key == PARAMETERS else f"{place}.{key}".strip(".")
        yield from _leaves(tree[key], inner)
