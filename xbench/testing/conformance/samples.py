"""Samples: components with their defaults, to be tried."""

import contextlib
import dataclasses
import typing
from typing import TYPE_CHECKING, Any

from xbench.errors import MissingPackageError, PluginError
from xbench.interfaces.component import Component
from xbench.interfaces.protocol import Protocol
from xbench.testing.conformance.explainers import declares_artefacts

if TYPE_CHECKING:
    from xbench.components.specification import Builder


def sample(builder: "Builder", kind: str, name: str, depth: int = 2) -> Any:
    """The component with its defaults; component parameters without one get any that fits."""
    cls = builder.registry.get(kind, name)
    defaults = builder.defaults.get(kind, {}).get(name, {})
    makes = getattr(cls, "makes", None)
    filled = {
        field.name: _any(builder, typing.cast("type[Component]", field.type).kind, depth, makes)
        for field in dataclasses.fields(cls)
        if _open(field) and field.name not in defaults and field.name not in cls.example
    }
    return builder.build(kind, {"name": name, **cls.example, **filled})


def samples_beside(builder: "Builder", item: object) -> list[Component]:
    """What the item is tried with: for a protocol an explainer of the kind it scores."""
    if not isinstance(item, Protocol) or getattr(item, "scores", None) is None:
        return []
    try:
        return [_any(builder, "explainer", 2, item.scores)]
    except PluginError:
        return []


def _open(field: "dataclasses.Field[Any]") -> bool:
    required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    return required and isinstance(field.type, type) and issubclass(field.type, Component)


def _any(builder: "Builder", kind: str, depth: int, makes: type | None) -> Component:
    """Any component of the kind; an explainer inside another one makes what that one makes.

    One that needs artefacts is the last choice: it cannot be tried without a dataset. One whose
    package is missing is none.
    """
    kinds = {name: builder.registry.get(kind, name) for name in builder.registry.names(kind)}
    fitting = {
        name: cls
        for name, cls in kinds.items()
        if makes is None or issubclass(getattr(cls, "makes", makes), makes)
    }
    for name in sorted(fitting, key=lambda name: declares_artefacts(fitting[name])):
        nested = any(map(_open, dataclasses.fields(fitting[name])))
        if depth and not (depth == 1 and nested):
            with contextlib.suppress(MissingPackageError):
                component: Component = sample(builder, kind, name, depth - 1)
                return component
    raise PluginError(f"no {kind} is there to try it with")
