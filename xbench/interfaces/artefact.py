"""Artefacts: what is costly, made once and reused; and the recipes that make them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

from xbench.interfaces.component import Tree, fingerprint

if TYPE_CHECKING:
    from xbench.interfaces.executor import Workplace


@dataclass(frozen=True, eq=False)
class Artefact:
    """Tensors by name and plain values about them; `key` is the hash of what made them."""

    key: str
    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any] = field(default_factory=dict)


Artefacts = Mapping[str, Artefact]


class Recipe(ABC):
    """How to make an artefact. Frozen and cheap: nothing is made before `build`."""

    kind: ClassVar[str]
    """What it makes, in kebab-case: the folder of the store where it lies."""

    @abstractmethod
    def tree(self) -> Tree:
        """Everything the artefact depends on, as plain values."""

    def needs(self) -> Mapping[str, "Recipe"]:
        """Recipes whose artefacts `build` receives, by name."""
        return {}

    @abstractmethod
    def build(self, needs: Artefacts, workplace: "Workplace") -> Artefact:
        """Make it. `workplace` has the device, the batch size and a reporter of progress."""

    @property
    def key(self) -> str:
        """The content hash of the recipe and of all that it needs."""
        needs = {name: recipe.key for name, recipe in self.needs().items()}
        return fingerprint({"kind": self.kind, "tree": self.tree(), "needs": needs})
