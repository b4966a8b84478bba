"""Versions: what is said where a store has results of the same components by others."""

from collections.abc import Iterable, Iterator

from xbench.interfaces.component import Tree, versions


def made_again(what: str, tree: Tree, kin: Iterable[Tree]) -> str:
    """One line on results of the same components under other versions; "" where there are none."""
    own = versions(tree)
    for other in kin:
        changes = list(_changes(versions(other), own))
        if changes:
            return f"{what}: the store has results by {', '.join(changes)}; they are made again"
    return ""


def _changes(before: dict[str, str], now: dict[str, str]) -> Iterator[str]:
    for name, version in now.items():
        if before.get(name, version) != version:
            yield f"{name} {before[name]} (now {version})"
