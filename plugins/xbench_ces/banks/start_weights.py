"""The weights below a layer, where training leaves them as they were at its start."""

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from xbench import (
    Artefact,
    Artefacts,
    Classifier,
    ClassifierWeights,
    Recipe,
    TrainedWeights,
    TrainingPlan,
    Tree,
    Workplace,
    start_module,
    stored_state,
)
from xbench.networks import blank_module, cut_classifier, head_layer, original_names


@dataclass(frozen=True)
class StartWeights(Recipe):
    """The weights with which a training begins; whatever it is trained on, and how."""

    kind: ClassVar[str] = "weights"

    plan: TrainingPlan

    def tree(self) -> Tree:
        """The network, and the seed where its weights are random."""
        plan = self._keyed_plan()
        return {"start": plan.tree()["classifier"], "seed": plan.seed, "classes": plan.classes}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """The state of the module before training."""
        plan = self._keyed_plan()
        state = stored_state(start_module(plan).state_dict())
        return Artefact(self.key, state, {"classes": plan.classes})

    def _keyed_plan(self) -> TrainingPlan:
        """The plan, its seed left out where only a new head would depend on it."""
        is_random = self.plan.classifier.weights == ""
        return self.plan if is_random else dataclasses.replace(self.plan, seed=0)


def weights_below(weights: ClassifierWeights, classifier: Classifier) -> Recipe:
    """What gives the weights below the classifier's layer.

    Where only the head is trained and the layer lies below it, the weights before training:
    classifiers that differ in their heads share what was made of these.
    """
    if not isinstance(weights, TrainedWeights):
        return weights
    plan = weights.plan
    frozen = plan.training.body_rate == 0 and plan.training.epochs > 0
    if frozen and _below_head(classifier, plan.classes):
        return StartWeights(plan)
    return weights


@functools.lru_cache(maxsize=8)
def _below_head(classifier: Classifier, classes: int) -> bool:
    module = blank_module(dataclasses.replace(classifier, weights=""), classes)
    name = head_layer(module, classes)
    bottom_names: Mapping[str, str] = original_names(
        cut_classifier(classifier, module, classes).bottom
    )
    return bool(name) and not any(tensor.startswith(f"{name}.") for tensor in bottom_names.values())
