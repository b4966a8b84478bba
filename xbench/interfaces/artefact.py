"""Artefacts: what is costly, made once and reused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from torch import Tensor

_Value = TypeVar("_Value")


@dataclass(frozen=True, eq=False)
class Artefact:
    """Tensors by name and plain values about them; `key` is the hash of what made them."""

    key: str
    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any] = field(default_factory=dict)


Artefacts = Mapping[str, Artefact]
"""Artefacts by the names under which they were declared."""


def entries_below(prefix: str, entries: Mapping[str, _Value]) -> dict[str, _Value]:
    """The entries whose names begin with the prefix, by the rest of their names."""
    return {
        name.removeprefix(prefix): value
        for name, value in entries.items()
        if name.startswith(prefix)
    }
