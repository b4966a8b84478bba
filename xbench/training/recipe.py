"""Trained weights: the recipe that makes them, and what is told of them."""

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from xbench.errors import MismatchError, ParameterError, WeightsError
from xbench.interfaces.artefact import Artefact, Artefacts
from xbench.interfaces.bench import Subject
from xbench.interfaces.protocol import Entry
from xbench.interfaces.recipe import ClassifierWeights, FinishedLoss, TrainingPlan
from xbench.interfaces.workplace import Workplace
from xbench.networks.heads import head_layer
from xbench.networks.loading import blank_module
from xbench.networks.weights import State, load_state, read_state, state_hash
from xbench.randomness import derived_seed
from xbench.training.fitting import fit
from xbench.training.validation import Mistakes, mistakes


@dataclass(frozen=True)
class TrainedWeights(ClassifierWeights):
    """Weights of a classifier, trained on its plan's `images`; with `epochs = 0` as they are.

    The same plan gives the same weights on the same machine, also where a training was
    interrupted and resumed.
    """

    trains: TrainingPlan

    @property
    def plan(self) -> TrainingPlan:
        """How the classifier is trained."""
        return self.trains

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """Train, or go on with a training that was interrupted."""
        plan, start = self.plan, time.perf_counter()
        module = start_module(plan)
        curve: Sequence[tuple[float, float]] = []
        if plan.training.epochs:
            curve, before = fit(plan, module, workplace, self.key)
            start -= before
        seen = None
        if plan.validation and plan.validation.dataset.has_labels:
            seen = mistakes(plan, module, plan.validation, workplace)
        state = stored_state(module.state_dict())
        seconds = round(time.perf_counter() - start, 3)
        facts = training_facts(plan, state, curve, seen)
        return Artefact(self.key, state, {**facts, "seconds": seconds})


def training_facts(
    plan: TrainingPlan,
    state: State,
    curve: Sequence[tuple[float, float]],
    seen: Mistakes | None,
) -> dict[str, Any]:
    """What is told of the classifier with this state after such a training."""
    return {
        "classes": plan.classes,
        "architecture": plan.classifier.tree(),
        "epochs": plan.training.epochs,
        "curve": [list(pair) for pair in curve],
        "state": state_hash(state),
        "accuracy": seen and seen.accuracy,
        "mistakes_within_parent": seen and seen.within_parent,
        "summary": [_summary(plan, curve, seen)],
    }


def start_module(plan: TrainingPlan) -> nn.Module:
    """The network before training: random weights, the library's, or those of a file."""
    module = blank_module(plan.classifier, plan.classes, derived_seed("weights", plan.seed))
    _check_head(plan, module)
    source = plan.classifier.weights
    if source == "library":
        _check_library_head(plan, module)
    elif source:
        new = head_layer(module, plan.classes) if plan.training.epochs else ""
        load_state(module, read_state(source), source, new_head=new)
    if source and plan.training.new_head:
        _renew_head(plan, module)
    return module


def _check_head(plan: TrainingPlan, module: nn.Module) -> None:
    """Refuse a training that treats the head apart where there is none."""
    training = plan.training
    asked = {"body_rate": training.body_rate != 1, "frozen_epochs": training.frozen_epochs > 0}
    for name in (name for name, is_asked in asked.items() if is_asked and training.epochs):
        if not head_layer(module, plan.classes):
            message = f"training.{name} treats the head apart, and {plan.classifier.name!r} has no "
            message += f"single layer that makes its {plan.classes} logits; leave it out, so that "
            raise ParameterError(f"{message}the whole network learns alike")


def _renew_head(plan: TrainingPlan, module: nn.Module) -> None:
    """Put random weights into the head."""
    name = head_layer(module, plan.classes)
    if not name or not plan.training.epochs:
        message = f"training.new_head: {plan.classifier.name!r} "
        without = f"has no single layer that makes its {plan.classes} logits"
        reason = "is not trained" if name else without
        raise WeightsError(message + reason)
    random = dataclasses.replace(plan.classifier, weights="")
    fresh = blank_module(random, plan.classes, derived_seed("weights", plan.seed))
    module.get_submodule(name).load_state_dict(fresh.get_submodule(name).state_dict())


def _check_library_head(plan: TrainingPlan, module: nn.Module) -> None:
    """Without training, a head that the library has no weights for would be random."""
    if plan.training.epochs:
        return
    other = blank_module(
        plan.classifier, plan.classes, derived_seed("other", plan.seed)
    ).state_dict()
    names = [name for name, t in module.state_dict().items() if not torch.equal(t, other[name])]
    if names:
        message = f"the library's weights of {plan.classifier.name!r} are not for "
        message += f"{plan.classes} classes ({names[0]} is new); set training.epochs above 0"
        raise WeightsError(message)


def _summary(
    plan: TrainingPlan, curve: Sequence[tuple[float, float]], seen: Mistakes | None
) -> str:
    """One line on how the training went."""
    parts = [f"{plan.classifier.name}: {len(curve)} epoch{'s' * (len(curve) != 1)}"]
    if curve:
        parts.append(f"loss {curve[-1][0]:.3f}, accuracy {curve[-1][1]:.1%} while training")
    if plan.validation and seen:
        parts.append(f"{seen.accuracy:.1%} on {plan.validation.split!r}")
    if seen and seen.within_parent is not None:
        parts.append(f"{seen.within_parent:.1%} of its mistakes within the parent class")
    return ", ".join(parts)


def stored_state(state: State) -> dict[str, Tensor]:
    """The tensors as an artefact holds them: copied, on the CPU."""
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in state.items()
    }


def weights_recipe(entry: Entry) -> ClassifierWeights:
    """The weights of an entry's classifier: trained on `train`, their accuracy seen on `test`.

    With the entry's companion where it has one; those that the entry was given, if it was.
    `MismatchError` for an ensemble, whose networks are those that `networks_of` gives.
    """
    if entry.members:
        labels = ", ".join(repr(member.label) for member in entry.members)
        raise MismatchError(
            f"entry {entry.label!r} is an ensemble of {labels}, and one network is asked for here: "
            "the protocol does not evaluate ensembles; leave the entry out"
        )
    if entry.weights is not None:
        return _given_weights(entry, entry.weights)
    plan = plan_of(entry)
    if entry.companion is None:
        return planned_weights(plan)
    if isinstance(plan.loss, FinishedLoss):
        raise MismatchError(
            f"entry {entry.label!r} has the loss {plan.loss.name!r}, which changes weights after a "
            f"training, and cannot be trained jointly with {entry.companion.name!r}; choose another"
        )
    return entry.companion.classifier_weights(plan)


def planned_weights(plan: TrainingPlan) -> ClassifierWeights:
    """The weights of a plan: trained, and finished where its loss does more after a training."""
    if isinstance(plan.loss, FinishedLoss):
        return plan.loss.classifier_weights(plan)
    return TrainedWeights(plan)


def _given_weights(entry: Entry, weights: ClassifierWeights) -> ClassifierWeights:
    if entry.companion is None:
        return weights
    with_it = entry.companion.given_weights(weights)
    if with_it is None:
        raise MismatchError(
            f"the weights of entry {entry.label!r} are given, but its classifier has to be trained "
            f'jointly with {entry.companion.name!r}; train it: -p weights=""'
        )
    return with_it


def subject_of(entry: Entry) -> Subject:
    """What the entry's explainer explains: its classifier with its weights."""
    return Subject(entry.classifier, weights_recipe(entry), entry.datasets, entry.seed)


def plan_of(entry: Entry) -> TrainingPlan:
    """How the entry's classifier is trained, its companion aside."""
    images = entry.datasets["train"]
    return TrainingPlan(
        classifier=entry.classifier,
        loss=entry.loss,
        training=entry.training,
        images=images,
        validation=entry.datasets.get("test"),
        seed=entry.seed,
        classes=len(images.dataset.class_names()),
    )
