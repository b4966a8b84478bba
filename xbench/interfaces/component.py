"""Components: frozen dataclasses whose fields are their hyperparameters."""

import dataclasses
import functools
import hashlib
import json
from abc import ABC
from collections.abc import Mapping
from importlib import metadata
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

Tree = dict[str, Any]
"""Nested plain values (str, int, float, bool, None, list, dict), as TOML and JSON hold them."""


class Component(ABC):
    """A hyperparameter-only value: `name` and `version` name it, its fields parametrise it.

    Concrete components are frozen dataclasses, keep no state between calls, and take
    their random generator and device as arguments. A field that is itself a component
    has no default in code; defaults of that sort stand in `benchmarks/default.toml`.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    version: ClassVar[str] = "1"
    example: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Parameters to try the component with, where it has plain ones without a default."""

    def parameters(self) -> Tree:
        """The component's fields as plain values; nested components become their `tree`."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        return {field.name: plain(getattr(self, field.name)) for field in fields}

    def tree(self) -> Tree:
        """Everything that identifies this component: what enters keys and records."""
        distribution = provider(type(self))
        return {
            "kind": self.kind,
            "name": self.name,
            "version": self.version,
            "distribution": distribution.name,
            "distribution_version": distribution.version,
            "parameters": self.parameters(),
        }


class Distribution(NamedTuple):
    """The installed distribution that provides a component."""

    name: str
    version: str


def plain(value: object) -> Any:
    """`value` as plain JSON values: components become trees, tuples become lists."""
    if isinstance(value, Component):
        return value.tree()
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)


def fingerprint(tree: object) -> str:
    """A 32-digit content hash of nested plain values; equal trees have equal fingerprints."""
    text = json.dumps(plain(tree), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def provider(cls: type) -> Distribution:
    """The distribution whose `xbench` entry points name the class's package."""
    package = cls.__module__.partition(".")[0]
    return _providers().get(package, Distribution("unregistered", "0"))


@functools.cache
def _providers() -> dict[str, Distribution]:
    return {
        point.module.partition(".")[0]: Distribution(point.dist.name, point.dist.version)
        for point in metadata.entry_points(group="xbench")
        if point.dist is not None
    }
