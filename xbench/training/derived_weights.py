"""Weights that are made of other weights of the same classifier."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from xbench.errors import WeightsError
from xbench.interfaces.artefact import Artefact, Artefacts
from xbench.interfaces.component import Tree
from xbench.interfaces.recipe import ClassifierWeights, Recipe
from xbench.interfaces.workplace import Progress, Workplace
from xbench.networks.weights import State, state_hash
from xbench.training.recipe import stored_state


@dataclass(frozen=True)
class DerivedWeights(ClassifierWeights):
    """Weights made of the states of other weights; its fields are its hyperparameters."""

    name: ClassVar[str]
    version: ClassVar[str] = "1"

    sources: tuple[ClassifierWeights, ...]

    def __post_init__(self) -> None:
        """Check that there is something to derive from."""
        if not self.sources:
            raise ValueError("sources: give the weights that these are made of")

    @property
    def plan(self) -> None:
        """There is none: several trainings, or none, lie behind these weights."""

    def tree(self) -> Tree:
        """The step with its fields, the sources' trees among them."""
        return {"derived": self.name, "version": self.version, **super().tree()}

    def needs(self) -> Mapping[str, Recipe]:
        """The sources, by their places."""
        return {str(place): source for place, source in enumerate(self.sources)}

    def check(self, progress: Progress) -> None:
        """Raise what is wrong with any of the sources."""
        for source in self.sources:
            source.check(progress)

    @abstractmethod
    def derived(self, states: Sequence[State]) -> State:
        """The new state, from those of the sources; `WeightsError` where they do not fit."""

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """Derive the state; what is told of it beside is told of the first source."""
        sources = [needs[str(place)] for place in range(len(self.sources))]
        state = stored_state(self.derived([source.tensors for source in sources]))
        first = sources[0].facts
        facts = {name: first[name] for name in ("classes", "architecture") if name in first}
        told = {"state": state_hash(state), "summary": [f"weights: {self.name} of {len(sources)}"]}
        return Artefact(self.key, state, {**facts, **told})


@dataclass(frozen=True)
class AveragedWeights(DerivedWeights):
    """The plain mean of floating-point tensors; tensors of whole numbers are the first source's."""

    name: ClassVar[str] = "averaged"

    def derived(self, states: Sequence[State]) -> State:
        """The mean of each tensor, taken in double precision."""
        for place, state in enumerate(states):
            _check_alike(states[0], state, place)
        return {name: _mean([state[name] for state in states]) for name in states[0]}


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    first = tensors[0]
    if not first.is_floating_point():
        return first
    return torch.stack([tensor.double() for tensor in tensors]).mean(0).to(first.dtype)


def _check_alike(first: State, other: State, place: int) -> None:
    """Refuse weights of another network than the first ones'."""
    odd = sorted(first.keys() ^ other.keys())
    odd += [name for name in first if name in other and first[name].shape != other[name].shape]
    if odd:
        raise WeightsError(
            f"weights of different networks cannot be averaged: those of source {place} differ "
            f"from the first ones' in {', '.join(odd[:3])}{', …' if len(odd) > 3 else ''}"
        )
