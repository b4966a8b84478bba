"""Tempered weights: those of a training, with one temperature fitted to its images."""

from collections.abc import Mapping, Sequence
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
    HumanLabels,
    ImageSet,
    MismatchError,
    Progress,
    Recipe,
    TrainingPlan,
    Tree,
    Workplace,
    annotated,
    stored_state,
)
from xbench.networks import State, blank_module, head_layer, state_hash, with_state
from xbench_softlabels.kernels.temperature import best_temperature, tempered_cross_entropy

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
    """Weights whose last layer is divided by the temperature that fits their training images best.

    So the temperature is part of the network: whatever explains, attacks or scores it meets it.
    """

    not_in_key: ClassVar[tuple[str, ...]] = ("trained",)

    trained: ClassifierWeights
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
        return {"tempered": 1, **super().tree()}

    def needs(self) -> Mapping[str, Recipe]:
        """The weights as they were trained."""
        return {"trained": self.trained}

    def check(self, progress: Progress) -> None:
        """Raise what is wrong with the weights, and where no single layer makes the logits."""
        self.trained.check(progress)

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """Fit the temperature, and divide the layer that makes the logits by it."""
        trained, plan = needs["trained"], self.trained.required_plan
        network = workplace.network(plan.classifier, trained)
        ids = self.images.ids()
        logits = self._logits(network.module, ids, workplace)
        targets = fitted_targets(self.images, ids, self.to)
        temperature = best_temperature(logits, targets)
        state = divided(trained.tensors, head_name(plan), temperature)
        tempered = with_state(network.module, state, f"the tempered {plan.classifier.name}")
        some = ids[: workplace.batch_size]
        _check(self._logits(tempered, some, workplace), logits[: len(some)] / temperature, plan)
        before, after = (tempered_cross_entropy(logits, targets, t) for t in (1.0, temperature))
        kept = {name: trained.facts[name] for name in ("classes", "architecture", "epochs")}
        summary = (
            f"temperature {temperature:.3f}, fitted to {self.to} of {len(ids)} training images: "
            f"cross-entropy {before:.3f} before, {after:.3f} after"
        )
        told = {"temperature": temperature, "state": state_hash(state)}
        lines = [*trained.facts.get("summary", ()), summary]
        return Artefact(self.key, state, {**kept, **told, "summary": lines})

    def _logits(
        self, module: nn.Module, ids: Sequence[int], workplace: Workplace
    ) -> Float[Tensor, "n classes"]:
        """The logits of some of the images, on the CPU."""
        size, parts = workplace.batch_size, [torch.zeros(0, self.trained.required_plan.classes)]
        for start in range(0, len(ids), size):
            batch = self.images.batch(ids[start : start + size]).to(workplace.device)
            with torch.no_grad():
                parts.append(module(batch.images).float().cpu())
        return torch.cat(parts)


def _check(
    logits: Float[Tensor, "n classes"], expected: Float[Tensor, "n classes"], plan: TrainingPlan
) -> None:
    """Raise `MismatchError` where what follows the last layer does not let a factor through."""
    missed = float((logits - expected).abs().max())
    if missed > TOLERANCE * float(expected.abs().max()):
        raise MismatchError(
            f"classifier {plan.classifier.name!r}: dividing its last layer by a temperature does "
            f"not divide its logits, {WAY_OUT}"
        )


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


def fitted_targets(
    images: ImageSet, ids: Sequence[int], to: FittedTo
) -> Float64[Tensor, "n classes"]:
    """One-hot labels, or the shares of annotators that chose each class."""
    if to == "labels":
        classes = len(images.dataset.class_names())
        return functional.one_hot(images.dataset.labels(ids), classes).double()
    counts = annotated(images.dataset, HumanLabels).label_counts(ids).double()
    return counts / counts.sum(1, keepdim=True)
