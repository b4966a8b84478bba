"""Kinds that plugins bring: how they are named, and the hooks of their components."""

import re
from collections.abc import Iterable, Sequence
from types import ModuleType

from xbench.components.matching import folded
from xbench.errors import UnknownNameError
from xbench.interfaces.component import Component
from xbench.interfaces.hookspecs import hookspec

KIND = "kind"
"""The kind of the claims that bring one."""
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""Names of kinds: they stand before the dot in entry points, and in names of hooks."""


def plural(kind: str) -> str:
    """The English plural of a kind's name."""
    if re.search(r"[^aeiou]y$", kind):
        return f"{kind[:-1]}ies"
    return f"{kind}es" if re.search(r"(s|x|z|ch|sh)$", kind) else f"{kind}s"


def kind_named(text: str, known: Iterable[str]) -> str:
    """The kind of this name, or of this plural, whatever its case; `UnknownNameError` for none."""
    kinds = list(known)
    names = {folded(name): kind for kind in kinds for name in (plural(kind), kind)}
    if folded(text) not in names:
        raise UnknownNameError("kind", text, kinds, "`xbench list kind` shows them.")
    return names[folded(text)]


def hook_of(kind: str) -> str:
    """The hook that returns components of a kind."""
    return f"register_{plural(kind).replace('-', '_')}"


def hook_specification(kind: str) -> ModuleType:
    """What the plugin manager has to know of the hook: it takes no arguments."""

    def register() -> Sequence[type[Component]]:  # type: ignore[empty-body]
        """Return component classes of the kind."""

    module = ModuleType(hook_of(kind))
    setattr(module, hook_of(kind), hookspec(register))
    return module
