"""The weights below a layer, where training leaves them as they were at its start."""

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xbench.interfaces.artefact import Artefact, Artefacts, Recipe
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Tree
from xbench.networks.cut import head
from xbench.networks.network import blank, cut_classifier, original_names
from xbench.training.recipe import ClassifierWeights, TrainedWeights, stored

if TYPE_CHECKING:
    from xbench.interfaces.executor import Workplace


@dataclass(frozen=True)
class StartWeights(Recipe):
    """The weights with which a training begins; whatever it is trained on, and how."""

    kind: ClassVar[str] = "weights"

    training: TrainedWeights

    def tree(self) -> Tree:
        """The network, and the seed where its weights are random."""
        own = self._own()
        tree = own.tree()
        return {"start": tree["classifier"], "seed": own.seed, "classes": own.classes}

    def build(self, needs: Artefacts, workplace: "Workplace") -> Artefact:
        """The state of the module before training."""
        own = self._own()
        state = stored(own.module().state_dict())
        return Artefact(self.key, state, {"classes": own.classes})

    def _own(self) -> TrainedWeights:
        """The training, its seed left out where only a new head would depend on it."""
        random = self.training.classifier.weights == ""
        return self.training if random else dataclasses.replace(self.training, seed=0)


def weights_below(weights: ClassifierWeights, classifier: Classifier) -> Recipe:
    """What gives the weights below the classifier's layer.

    Where only the head is trained and the layer lies below it, the weights before training:
    classifiers that differ in their heads share what was made of these.
    """
    frozen = isinstance(weights, TrainedWeights) and weights.training.body_rate == 0
    trained = weights.plain.training.epochs > 0
    if frozen and trained and _below_head(classifier, weights.plain.classes):
        return StartWeights(weights.plain)
    return weights


@functools.lru_cache(maxsize=8)
def _below_head(classifier: Classifier, classes: int) -> bool:
    module = blank(dataclasses.replace(classifier, weights=""), classes)
    name = head(module, classes)
    below: Mapping[str, str] = original_names(cut_classifier(classifier, module, classes).bottom)
    return bool(name) and not any(tensor.startswith(f"{name}.") for tensor in below.values())
