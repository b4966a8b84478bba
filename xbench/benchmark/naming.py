"""Naming: names of components in a tree, looked up before anything large is imported.

Entry points say which components there are; what only importing a component tells is left to
its building.
"""

from collections.abc import Mapping
from typing import Any

from xbench.components.registry import Registry
from xbench.components.specification import MADE, offering
from xbench.interfaces.component import Tree

NAMED = ("protocol", "dataset", "classifier", "loss", "executor", "explainer")
"""What a tree, one of its entries or a change names components of."""


def spelled(tree: Tree, registry: Registry) -> Tree:
    """The tree with the names of its components as they have them; an unknown one is an error."""
    named = {key: _component(key, tree[key], registry) for key in NAMED if key in tree}
    if isinstance(tree.get("entries"), list):
        lines = [spelled(one, registry) if _is_table(one) else one for one in tree["entries"]]
        named["entries"] = lines
    return {**tree, **named}


def spelled_name(kind: str, name: str | None, registry: Registry) -> str | None:
    """The name of a component, as text with an argument or without, as the component has it."""
    return None if name is None else spelled_component(kind, name, registry)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _component(kind: str, given: Any, registry: Registry) -> Any:
    """The text or the table of a component with its name, and those of what is in it, spelled."""
    if isinstance(given, str):
        return spelled_component(kind, given, registry)
    if not _is_table(given) or MADE in given or not isinstance(given.get("name"), str):
        return given
    named = {**given, "name": spelled_component(kind, given["name"], registry)}
    if not registry.is_own(kind, named["name"].partition(":")[0]):
        return named  # a parameter of a stranger may be called as a kind, and be none
    kinds = set(registry.kinds).difference(NAMED)  # a `loss` inside a component need be none
    return {**named, **{key: _component(key, named[key], registry) for key in kinds & named.keys()}}


def spelled_component(kind: str, text: str, registry: Registry) -> str:
    """The name of a component, with an argument or without; that of a network stays bare."""
    name, colon, argument = text.partition(":")
    name = registry.spelled(kind, name)
    if kind == "classifier" and not colon and name not in registry.names(kind):
        return _network(name, registry)
    if name not in registry.names(kind):
        registry.claim(kind, name)  # says what there is
    return f"{name}{colon}{argument}"


def _network(name: str, registry: Registry) -> str:
    """The bare name of a network, if it is known without imports who offers which."""
    families = registry.names("classifier")
    strangers = [family for family in families if not registry.is_own("classifier", family)]
    offers = {family: registry.offered(family) for family in families}
    if all(offers[family] is None for family in families) or any(
        offers[family] is None for family in strangers
    ):
        return name
    known = {family: of_family for family, of_family in offers.items() if of_family}
    return offering(name, known, families)[1]
