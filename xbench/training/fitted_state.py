"""States that come from elsewhere, as a classifier's module holds them."""

from dataclasses import replace
from typing import Any

from torch import Tensor

from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Tree
from xbench.networks.loading import blank_module
from xbench.networks.weights import State, check_finite, load_state, state_hash
from xbench.training.recipe import stored_state


def architecture(classifier: Classifier) -> Tree:
    """What identifies the classifier's network, its weights and its cut aside."""
    return replace(classifier, weights="", layer="", arrangement="").tree()


def fitted_state(
    classifier: Classifier, classes: int, state: State, source: str
) -> dict[str, Tensor]:
    """The state with the names and types of the classifier's module.

    `source` is named in the `WeightsError` for one of another network, or with NaN.
    """
    check_finite(state, source)
    module = blank_module(replace(classifier, weights=""), classes)
    load_state(module, state, source)
    return stored_state(module.state_dict())


def fitted_facts(
    classifier: Classifier, classes: int, state: State, summary: str
) -> dict[str, Any]:
    """What is told of a classifier whose weights come from elsewhere."""
    return {
        "classes": classes,
        "architecture": architecture(classifier),
        "state": state_hash(state),
        "summary": [f"{classifier.name}: {summary}"],
    }
