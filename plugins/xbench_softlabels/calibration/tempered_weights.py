"""Tempered weights: those of a training, with one temperature for their logits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn
from torch.nn import functional

from xbench import (
    Artefact,
    Artefacts,
    ClassifierWeights,
    ImageSet,
    MismatchError,
    Progress,
    Recipe,
    TrainingPlan,
    Tree,
    Workplace,
    stored_state,
)
from xbench.networks import State, blank_module, head_layer, state_hash, with_state
from xbench_softlabels.kernels.distributions import shares
from xbench_softlabels.kernels.temperature import best_temperature, tempered_cross_entropy
from xbench_softlabels.targets.judgements import judgements

LOSS = "calibrated"
"""The loss that makes such weights."""
FittedTo = Literal["labels", "people"]
"""What a temperature is fitted to: the labels of the images, or the shares of annotators."""
WAY_OUT = (
    "so no temperature can be put into its weights; choose another classifier, or leave the "
    "calibrated entry out"
)
TOLERANCE = 1e-4
"""By what share of the largest logit the tempered network's logits may miss z / T."""


@dataclass(frozen=True)
class TemperedWeights(ClassifierWeights):
    """Weights whose last layer is divided by the temperature that fits some images best.

    So the temperature is part of the network: whatever explains, attacks or scores it meets it.
    """

    not_in_key: ClassVar[tuple[str, ...]] = ("trained", "asked")

    trained: ClassifierWeights
    asked: ClassifierWeights
    """Those of the network whose logits the temperature fits: the same, or one that was trained
    alike but has not seen the images."""
    images: ImageSet
    to: FittedTo

    @property
    def plan(self) -> TrainingPlan | None:
        """How the network was trained, before."""
        return self.trained.plan

    @property
    def trained_here(self) -> bool:
        """The training is that of the weights which it needs."""
        return False

    def tree(self) -> Tree:
        """What it is fitted to, on which images."""
        return {"tempered": 2, **super().tree()}

    def needs(self) -> Mapping[str, Recipe]:
        """The weights as they were trained, and those of the network that is asked."""
        return {"trained": self.trained, "asked": self.asked}

    def check(self, progress: Progress) -> None:
        """Raise what is wrong with the weights, and where no single layer makes the logits."""
        for weights in dict.fromkeys((self.trained, self.asked)):
            weights.check(progress)

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """Fit the temperature, and divide the layer that makes the logits by it."""
        trained, plan = needs["trained"], self.trained.required_plan
        ids = self.images.ids()
        logits = self._logits(workplace.network(plan.classifier, needs["asked"]).module, workplace)
        targets = fitted_targets(self.images, self.to)
        temperature = best_temperature(logits, targets)
        state = divided(trained.tensors, head_name(plan), temperature)
        self._check_divided(trained, state, temperature, workplace)
        before, after = (tempered_cross_entropy(logits, targets, t) for t in (1.0, temperature))
        kept = {name: trained.facts[name] for name in ("classes", "architecture", "epochs")}
        origin = "training images" if self.asked is self.trained else "held-out training images"
        summary = (
            f"temperature {temperature:.3f}, fitted to {self.to} of {len(ids)} {origin}: "
            f"cross-entropy {before:.3f} before, {after:.3f} after"
        )
        facts = {"temperature": temperature, "state": state_hash(state)}
        lines = [*trained.facts.get("summary", ()), summary]
        return Artefact(self.key, state, {**kept, **facts, "summary": lines})

    def _check_divided(
        self, trained: Artefact, state: State, temperature: float, workplace: Workplace
    ) -> None:
        """Raise `MismatchError` where what follows the last layer lets no factor through."""
        classifier, some = self.trained.required_plan.classifier, workplace.batch_size
        module = workplace.network(classifier, trained).module
        tempered = with_state(module, state, f"the tempered {classifier.name}")
        expected = self._logits(module, workplace, some) / temperature
        missed = float((self._logits(tempered, workplace, some) - expected).abs().max())
        if missed > TOLERANCE * float(expected.abs().max()):
            raise MismatchError(
                f"classifier {classifier.name!r}: dividing its last layer by a temperature does "
                f"not divide its logits, {WAY_OUT}"
            )

    def _logits(
        self, module: nn.Module, workplace: Workplace, first: int | None = None
    ) -> Float[Tensor, "n classes"]:
        """The logits of the first of the images, on the CPU; of all where no number is given."""
        size, ids = workplace.batch_size, self.images.ids()[:first]
        parts = [torch.zeros(0, self.trained.required_plan.classes)]
        for start in range(0, len(ids), size):
            batch = self.images.batch(ids[start : start + size]).to(workplace.device)
            with torch.no_grad():
                parts.append(module(batch.images).float().cpu())
        return torch.cat(parts)


def head_name(plan: TrainingPlan) -> str:
    """The name of the layer that makes the logits; `MismatchError` where there is no such layer."""
    layer = head_layer(blank_module(plan.classifier, plan.classes), plan.classes)
    if not layer:
        raise MismatchError(
            f"classifier {plan.classifier.name!r} has no single layer that makes its logits, "
            f"{WAY_OUT}"
        )
    return layer


def divided(state: State, layer: str, temperature: float) -> dict[str, Tensor]:
    """The state with the layer's weight and bias divided by the temperature."""
    own = {f"{layer}.weight", f"{layer}.bias"}
    parts = {name: value / temperature if name in own else value for name, value in state.items()}
    return stored_state(parts)


def fitted_targets(images: ImageSet, to: FittedTo) -> Float64[Tensor, "n classes"]:
    """One-hot labels, or the shares of annotators that chose each class, of all the images."""
    if to == "people":
        return shares(judgements(images, LOSS))
    classes = len(images.dataset.class_names())
    return functional.one_hot(images.dataset.labels(images.ids()), classes).double()
