"""Training of hardness predictors: the recipes of what comes out."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor, nn

from xbench import (
    Artefact,
    Artefacts,
    ClassifierWeights,
    Curve,
    MismatchError,
    Mistakes,
    PinnedWeights,
    Recipe,
    TrainingPlan,
    Tree,
    Workplace,
    derived_seed,
    entries_below,
    fit,
    mistakes_in,
    module_outputs,
    seeded,
    start_module,
    stored_state,
    training_facts,
)
from xbench.networks import blank_module, load_state, read_facts, read_state
from xbench_deliberative.difficulties.hardness import Hardness
from xbench_deliberative.difficulties.hardness_loss import PredictorLoss
from xbench_deliberative.difficulties.hardness_network import Built, Joint, build, predictor_head
from xbench_deliberative.readouts import hesitancy, normalised_entropy

CLASSIFIER, PREDICTOR = "classifier.", "predictor."


@dataclass(frozen=True)
class JointTraining(Recipe):
    """A classifier and a predictor of its mistakes, trained jointly.

    The tensors of the classifier are prefixed `classifier.`, those of the predictor
    `predictor.`.
    """

    kind: ClassVar[str] = "classifier-and-predictor"

    plan: TrainingPlan
    hardness: Hardness

    def tree(self) -> Tree:
        """The classifier's training and the predictor; the layer too where they share a trunk."""
        return {**super().tree(), "layer": _layer(self.plan, self.hardness)}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """Train, or go on with a training that was interrupted."""
        start, module = time.perf_counter(), start_module(self.plan)
        trained = _trained(self, module, self.plan, workplace)
        state = stored_state({**module.state_dict(), **trained.joint.classifier_state()})
        plain = training_facts(self.plan, state, trained.curve, trained.mistakes)
        summary = [*plain["summary"], *trained.facts["summary"]]
        tensors = {
            **{CLASSIFIER + name: tensor for name, tensor in state.items()},
            **{
                PREDICTOR + name: t
                for name, t in stored_state(trained.joint.predictor_state()).items()
            },
        }
        facts = {
            "classifier": {**plain, "summary": summary},
            "predictor": trained.facts,
            "summary": summary,
            "seconds": round(time.perf_counter() - start + trained.seconds_before, 3),
        }
        return Artefact(self.key, tensors, facts)


@dataclass(frozen=True)
class PinnedPair(Recipe):
    """A classifier and the predictor that it was trained with, from the file of pinned weights."""

    kind: ClassVar[str] = "classifier-and-predictor"

    weights: PinnedWeights
    hardness: Hardness

    @property
    def plan(self) -> TrainingPlan | None:
        """The training that the file is said to be of, the predictor aside."""
        return self.weights.plan

    def tree(self) -> Tree:
        """The weights' own, and the predictor."""
        return {**self.weights.tree(), "hardness": self.hardness.tree()}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """Load the file; its facts are those that were told of the training."""
        classifier = self.weights.build(needs, workplace)
        path = self.weights.source.fetched(workplace.progress)
        state, told = read_state(path), read_facts(path)
        predictor = entries_below(PREDICTOR, state)
        if not predictor or "layer" not in told.get("predictor", {}):
            message = f"{str(path)!r} has no predictor beside its classifier; write such a file "
            raise MismatchError(f'{message}with xbench train --out, or train: -p weights=""')
        tensors = {
            **{CLASSIFIER + name: tensor for name, tensor in classifier.tensors.items()},
            **{PREDICTOR + name: tensor for name, tensor in predictor.items()},
        }
        facts = {"classifier": classifier.facts, "predictor": told["predictor"], "seconds": 0.0}
        return Artefact(self.key, tensors, {**facts, "summary": classifier.facts["summary"]})


@dataclass(frozen=True)
class JointWeights(ClassifierWeights):
    """Weights of a classifier that was trained jointly with a predictor: classifier′."""

    joint: JointTraining | PinnedPair
    not_in_key: ClassVar[tuple[str, ...]] = ("joint",)

    @property
    def plan(self) -> TrainingPlan | None:
        """The training of the classifier alone."""
        return self.joint.plan

    @property
    def trained_here(self) -> bool:
        """Unless the pair is read from a file."""
        return isinstance(self.joint, JointTraining)

    @property
    def whole(self) -> Recipe:
        """Both."""
        return self.joint

    def needs(self) -> Mapping[str, Recipe]:
        """The joint training."""
        return {"joint": self.joint}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """The classifier's part, with the time of the whole training."""
        facts = needs["joint"].facts
        tensors = entries_below(CLASSIFIER, needs["joint"].tensors)
        return Artefact(self.key, tensors, {**facts["classifier"], "seconds": facts["seconds"]})


@dataclass(frozen=True)
class JointPredictor(Recipe):
    """The predictor of a joint training."""

    kind: ClassVar[str] = "hardness-predictor"
    not_in_key: ClassVar[tuple[str, ...]] = ("joint",)

    joint: JointTraining | PinnedPair

    def needs(self) -> Mapping[str, Recipe]:
        """The joint training."""
        return {"joint": self.joint}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """The predictor's part; the time of the training is the classifier's."""
        joint = needs["joint"]
        return Artefact(self.key, entries_below(PREDICTOR, joint.tensors), joint.facts["predictor"])


@dataclass(frozen=True)
class FrozenPredictor(Recipe):
    """A predictor of the mistakes of a classifier that is trained already, and stays as it is."""

    kind: ClassVar[str] = "hardness-predictor"
    not_in_key: ClassVar[tuple[str, ...]] = ("weights",)

    weights: ClassifierWeights
    hardness: Hardness

    def tree(self) -> Tree:
        """The images, the training and the predictor; the layer too with a shared trunk."""
        plan = self.weights.required_plan
        return {**super().tree(), "plan": plan.tree(), "layer": _layer(plan, self.hardness)}

    def needs(self) -> Mapping[str, Recipe]:
        """The classifier's weights."""
        return {"weights": self.weights}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """Train on the classifier's training images, or go on where that was interrupted."""
        start, plan = time.perf_counter(), self.weights.required_plan
        classifier = replace(plan.classifier, weights="")
        module = blank_module(classifier, plan.classes)
        load_state(module, needs["weights"].tensors, f"{classifier.name} weights")
        trained = _trained(self, module, plan, workplace)
        seconds = round(time.perf_counter() - start + trained.seconds_before, 3)
        tensors = stored_state(trained.joint.predictor_state())
        return Artefact(self.key, tensors, {**trained.facts, "seconds": seconds})


class _Trained(NamedTuple):
    """What a training leaves behind."""

    joint: Joint
    curve: Curve
    seconds_before: float
    """What earlier attempts took."""
    mistakes: Mistakes | None
    """The classifier's, on its validation images."""
    facts: dict[str, Any]
    """About the predictor."""


def _trained(
    recipe: JointTraining | FrozenPredictor,
    module: nn.Module,
    plan: TrainingPlan,
    workplace: Workplace,
) -> _Trained:
    """Train a predictor beside the module, and the module with it unless it is frozen."""
    if not plan.training.epochs:
        message = "hardness has a predictor that must be trained, and training.epochs is 0; set "
        raise MismatchError(message + "it above 0, or choose another difficulty score")
    built = _built(recipe.hardness, module, plan)
    loss = PredictorLoss(plan.loss, recipe.hardness.loss, recipe.hardness.setting == "frozen")
    heads = built.network.heads(plan.classes)
    curve, before = fit(replace(plan, loss=loss), built.network, workplace, recipe.key, heads)
    mistakes, aucs = _validated(built.network, plan, workplace)
    facts = {
        "classes": plan.classes,
        "layer": built.layer,
        "curve": [list(pair) for pair in curve],
        "mistake_auc": aucs,
        "summary": [_summary(recipe.hardness, plan, aucs)],
    }
    return _Trained(built.network, curve, before, mistakes, facts)


def _layer(plan: TrainingPlan, hardness: Hardness) -> str | None:
    """What a predictor with the classifier's trunk depends on as well."""
    return plan.classifier.place if hardness.trunk == "shared" else None


def _built(hardness: Hardness, module: nn.Module, plan: TrainingPlan) -> Built:
    with seeded(derived_seed("predictor", plan.seed)):
        last = predictor_head(plan.classes, hardness.hidden, hardness.dropout)
    frozen = hardness.setting == "frozen"
    return build(plan.classifier, module, last, hardness.trunk, frozen=frozen)


def _validated(
    joint: Joint, plan: TrainingPlan, workplace: Workplace
) -> tuple[Mistakes | None, dict[str, float | None]]:
    """The classifier's mistakes on the validation images, and how they are predicted."""
    images = plan.validation
    if images is None:
        return None, {}
    logits = module_outputs(plan, joint, images, workplace)
    wrong = logits[:, :-1].argmax(1) != images.dataset.labels(images.ids())
    return mistakes_in(logits[:, :-1], images), mistake_aucs(logits, wrong)


def mistake_aucs(
    logits: Float[Tensor, "n outputs"], wrong: Bool[Tensor, " n"]
) -> dict[str, float | None]:
    """How well mistakes are told by z (the last output), and by the logits before it.

    Areas under the ROC curve; None where everything is right, or everything wrong.
    """
    from sklearn.metrics import roc_auc_score

    scores = {
        "hardness": logits[:, -1:],
        "hesitancy": hesitancy(logits[:, :-1]),
        "entropy": normalised_entropy(logits[:, :-1]),
    }
    if int(wrong.sum()) in (0, len(wrong)):
        return dict.fromkeys(scores)
    return {name: float(roc_auc_score(wrong, score[:, 0])) for name, score in scores.items()}


def _summary(hardness: Hardness, plan: TrainingPlan, aucs: Mapping[str, float | None]) -> str:
    """One line on how well the predictor does."""
    line = f"hardness: {hardness.setting}, {hardness.loss}, {hardness.trunk} trunk"
    known = [f"{auc:.3f} by {name}" for name, auc in aucs.items() if auc is not None]
    if not known or plan.validation is None:
        return line
    split = plan.validation.split
    return f"{line}; mistakes on {split!r} are predicted with ROC-AUC {', '.join(known)}"
