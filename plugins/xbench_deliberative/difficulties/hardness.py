"""Hardness: a predictor of the classifier's mistakes as the difficulty score."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from xbench import (
    Artefact,
    Artefacts,
    ClassifierWeights,
    Difficulty,
    MismatchError,
    Network,
    PinnedWeights,
    Readout,
    Recipe,
    TrainingPlan,
    entries_below,
)
from xbench.networks import load_state, with_state
from xbench_deliberative.difficulties.hardness_network import Trunk, predictor_head
from xbench_deliberative.kernels.hardness import sigmoid_scores

ARTEFACT = "predictor"


@dataclass(frozen=True)
class Hardness(Difficulty):
    """What a network says that is trained to predict the classifier's mistakes: s = σ(z).

    The predictor follows "Towards Realistic Predictors" (ECCV 2018). What passes through it
    is not counted among the network's passes.
    """

    name: ClassVar[str] = "hardness"

    loss: Literal["bce", "linear"] = "bce"
    """`bce`: −[p log(1−s) + (1−p) log s], p being the probability of the true class.
    `linear`: (1−p)(1−s) + p·s, right and wrong predictions balanced."""
    trunk: Trunk = "copied"
    """`copied`: the predictor is a network of its own. `shared`: it has its own layers beyond
    the one at which the classifier is cut."""
    setting: Literal["joint", "frozen"] = "joint"
    """`joint`: the classifier is trained with it, its loss weighted by s. `frozen`: the
    classifier is trained before, and stays as it is."""
    hidden: tuple[int, ...] = (100,)
    """Outputs of the hidden layers between the trunk's logits and z."""
    dropout: float = 0.3
    """Share of the hidden outputs that training leaves out."""

    def __post_init__(self) -> None:
        """Check the values."""
        if min(self.hidden, default=1) < 1:
            raise ValueError(f"hidden is {self.hidden}; every layer needs at least one output")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}; it needs 0 <= dropout < 1")

    def companion(self) -> Difficulty | None:
        """Itself in the joint setting."""
        return self if self.setting == "joint" else None

    def classifier_weights(self, plan: TrainingPlan) -> ClassifierWeights:
        """Weights of the classifier that is trained with it."""
        from xbench_deliberative.difficulties.hardness_training import JointTraining, JointWeights

        return JointWeights(JointTraining(plan, self))

    def given_weights(self, weights: ClassifierWeights) -> ClassifierWeights | None:
        """Those of a file with a pair that was trained jointly."""
        from xbench_deliberative.difficulties.hardness_training import JointWeights, PinnedPair

        if isinstance(weights, PinnedWeights) and weights.source.trained_with:
            return JointWeights(PinnedPair(weights, self))
        return None

    def artefacts(self, weights: ClassifierWeights) -> Mapping[str, Recipe]:
        """The predictor. `MismatchError` where the weights were not trained with it."""
        from xbench_deliberative.difficulties.hardness_training import (
            FrozenPredictor,
            JointPredictor,
            JointWeights,
        )

        if self.setting == "frozen":
            return {ARTEFACT: FrozenPredictor(weights, self)}
        if isinstance(weights, JointWeights) and weights.joint.hardness == self:
            return {ARTEFACT: JointPredictor(weights.joint)}
        message = (
            f"the weights of classifier {weights.required_plan.classifier.name!r} were trained "
        )
        message += "without this hardness; name it in an entry of the benchmark, or use setting = "
        raise MismatchError(message + '"frozen", which predicts the mistakes of any classifier')

    def readout(self, network: Network, artefacts: Artefacts) -> Readout:
        """σ(z). The predictor is loaded once for each network, and kept with it."""
        predictor = artefacts.get(ARTEFACT)
        if predictor is None:
            message = "hardness is read out with the artefact of its predictor; make those of "
            raise MismatchError(message + "`artefacts(weights)` first")
        self._check(network, predictor)
        if predictor.key not in network.auxiliary:
            network.auxiliary[predictor.key] = self._halves(network, predictor)
        halves = network.auxiliary[predictor.key]
        top = halves.get_submodule("top")
        bottom = halves.get_submodule("bottom") if self.trunk == "copied" else network.bottom
        return Readout(bottom, top, sigmoid_scores, network.extra_rows)

    def _check(self, network: Network, predictor: Artefact) -> None:
        classes = int(predictor.facts["classes"])
        if classes != network.classes:
            message = f"the hardness predictor {predictor.key} is for {classes} classes, and "
            raise MismatchError(f"{message}{network.name} has {network.classes}")
        layer = predictor.facts["layer"]
        if self.trunk == "shared" and layer != network.layer:
            message = f"the hardness predictor {predictor.key} begins at layer {layer!r}, and "
            message += f"{network.name} is cut at {network.layer!r}; train one for that layer, or "
            raise MismatchError(message + 'use trunk = "copied", which fits every layer')

    def _halves(self, network: Network, predictor: Artefact) -> nn.ModuleDict:
        """The predictor's own layers, cut like the network's."""
        source = f"hardness predictor {predictor.key}"
        trunk = entries_below("trunk.", predictor.tensors)
        last = entries_below("head.", predictor.tensors)
        head = predictor_head(network.classes, self.hidden, self.dropout).to(network.device)
        load_state(head, last, source)
        head.eval().requires_grad_(requires_grad=False)
        top = nn.Sequential(OrderedDict(trunk=with_state(network.top, trunk, source), head=head))
        if self.trunk == "shared":
            return nn.ModuleDict({"top": top})
        return nn.ModuleDict({"bottom": with_state(network.bottom, trunk, source), "top": top})
