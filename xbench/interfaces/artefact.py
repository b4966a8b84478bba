"""Artefacts: what is costly, made once and reused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Artefact:
    """Tensors by name and plain values about them; `key` is the hash of what made them."""

    key: str
    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any] = field(default_factory=dict)


Artefacts = Mapping[str, Artefact]
"""Artefacts by the names under which they were declared."""
