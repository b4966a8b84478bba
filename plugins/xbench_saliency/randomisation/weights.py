"""Weights of which some layers are random again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import nn

from xbench import Artefact, Artefacts, Classifier, DerivedWeights, Workplace, derived_seed, seeded
from xbench.networks import State, blank_module, load_state


@dataclass(frozen=True)
class RandomisedWeights(DerivedWeights):
    """The weights of the one source, some layers of which start anew.

    A layer's new values are a function of the seed and of its name alone, so that networks which
    are randomised in other orders have the same values where both are random.
    """

    name: ClassVar[str] = "randomised"

    classifier: Classifier
    """Whose network it is, without weights."""
    classes: int
    layers: tuple[str, ...]
    """Full names of the modules."""
    seed: int

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """Reset the layers; a run says nothing of each such network."""
        artefact = super().build(needs, workplace)
        facts = {name: fact for name, fact in artefact.facts.items() if name != "summary"}
        return replace(artefact, facts=facts)

    def derived(self, states: Sequence[State]) -> State:
        """The first source's state with the layers reset."""
        module = blank_module(self.classifier, self.classes)
        load_state(module, states[0], f"{self.classifier.name} weights")
        for name in self.layers:
            reset(module.get_submodule(name), derived_seed("randomised", self.seed, name))
        return module.state_dict()


def reset(layer: nn.Module, seed: int) -> None:
    """Make a layer's own parameters random, as the layer itself starts.

    Running statistics of a normalisation start anew too: they speak of activations that are no
    more. Parameters of a module that does not know how it starts, such as a class token, are
    drawn from a normal distribution with the mean and deviation that they have.
    """
    with seeded(seed), torch.no_grad():
        start = getattr(layer, "reset_parameters", None)
        if callable(start):
            start()
            return
        for parameter in layer.parameters(recurse=False):
            deviation = parameter.std(unbiased=False)
            parameter.copy_(torch.randn_like(parameter) * deviation + parameter.mean())
