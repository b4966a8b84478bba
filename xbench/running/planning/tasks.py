"""Tasks: pieces of a plan, described so that any process can do them.

They hold components, recipes and ids; what they need they read from the store, and what they
make they leave there.
"""

import contextlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from xbench.errors import PluginError, StoreFullError
from xbench.interfaces.component import Tree, provider
from xbench.interfaces.data.case import Case
from xbench.interfaces.explanation import Explainer
from xbench.interfaces.protocol import Entry, Protocol
from xbench.interfaces.recipe import Recipe
from xbench.randomness import derived_seed
from xbench.running.bench import LocalBench, Question
from xbench.running.guard.block import guarded
from xbench.running.storage.store import FACTS, TREE, case_fault


@dataclass(frozen=True, eq=False)
class Task(ABC):
    """What is done in one piece."""

    key: str
    label: str
    """What it is counted under where progress is shown."""
    affinity: str
    """Of the network that it uses; "" for none."""

    @abstractmethod
    def perform(self, bench: LocalBench) -> None:
        """Do it. What is made goes to the store."""


@dataclass(frozen=True, eq=False)
class Build(Task):
    """An artefact is made."""

    recipe: Recipe

    def perform(self, bench: LocalBench) -> None:
        """Make it, whose needs are there, and put it into the store."""
        with guarded(self.recipe, (), derived_seed(self.key), bench.provider.say_once):
            bench.provider.make(self.recipe, self.key)


@dataclass(frozen=True, eq=False)
class Explain(Task):
    """The images of a block are explained by all explainers that want it, or predicted."""

    asked: Question
    ids: tuple[int, ...]
    explainers: tuple[Explainer | None, ...]
    """None for predictions; each after those that it builds on."""

    def perform(self, bench: LocalBench) -> None:
        """Make and keep explanations.

        An explainer that fails is no matter of the others: it fails again, under the name of its
        entry, where that is evaluated.
        """
        try:
            bench.make(self.explainers, self.asked, self.ids)
        except (torch.OutOfMemoryError, StoreFullError):
            raise
        except Exception:  # noqa: BLE001 - whatever a component raises
            for explainer in self.explainers:
                with contextlib.suppress(Exception):
                    bench.answers(explainer, self.asked, self.ids)


@dataclass(frozen=True, eq=False)
class Evaluate(Task):
    """A shard, which is some cases of one entry, is evaluated."""

    protocol: Protocol
    entry: Entry
    cases: Sequence[Case]
    recipes: Mapping[str, Recipe]
    """Of the artefacts that the protocol declared, by name."""
    tree: Tree
    """What the key is of."""

    def perform(self, bench: LocalBench) -> None:
        """Put the rows into the store, with what they and what they are made of cost."""
        artefacts = bench.provider.all(self.recipes)
        bench.provider.release(but={artefact.key for artefact in artefacts.values()})
        workplace, used = bench.workplace, dict[str, Any]()
        guard = guarded(self.protocol, (), derived_seed(self.key), bench.provider.say_once)
        with bench.kept.noting(used), workplace.costing() as cost, guard, bench.stage("evaluate"):
            rows = self.protocol.evaluate(self.entry, self.cases, artefacts, bench)
        if fault := case_fault(rows, self.cases):
            of = provider(type(self.protocol)).name
            raise PluginError(f"protocol {self.protocol.name!r} of {of} evaluates wrongly: {fault}")
        facts = {**cost, "kept": used}
        metadata = {
            **(rows.schema.metadata or {}),
            FACTS: json.dumps(facts).encode(),
            TREE: json.dumps(self.tree, sort_keys=True).encode(),
        }
        bench.store.put_rows(self.key, rows.replace_schema_metadata(metadata))
