"""Conceptual explanation scores: what adding each concept would do to an image's class."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float, Float64, Int64
from torch import Generator, Tensor, nn

from xbench import (
    Artefact,
    Artefacts,
    Batch,
    ClassifierWeights,
    Concept,
    ConceptExamples,
    Dataset,
    Explainer,
    Given,
    ImageSet,
    MismatchError,
    Network,
    NumericalError,
    PluginError,
    Recipe,
    Registry,
    fingerprint,
    location,
)
from xbench_ces.banks.bank import ConceptBank, Step
from xbench_ces.banks.importing import StoredBank
from xbench_ces.banks.learning import THRESHOLD, LearnedBank
from xbench_ces.kernels.scores import (
    differences,
    log_probabilities,
    moved_log_probabilities,
    saturated_share,
)
from xbench_ces.scores.affine import MovedTop, moved_top
from xbench_ces.scores.concept_scores import ConceptScores

BANK = "bank"
"""The name of the explainer's artefact."""


@dataclass(frozen=True)
class ConceptualExplanationScores(Explainer):
    """How much a step along each concept changes the probability of the correct class.

    Section 3 of the paper. The class is the predicted one where the correct one is not known.
    """

    name: ClassVar[str] = "ces"
    makes: ClassVar[type[ConceptScores]] = ConceptScores
    needs_cut: ClassVar[bool] = True

    concepts: tuple[Dataset, ...] = ()
    """Where concepts are learned from; () for the data set that the classifier is trained on."""
    bank: str = location("")
    """Path of a bank to use instead."""
    step: Step = "margin"
    """`paper`: 10 000 v with v the normal of the concept's SVM; `margin`: the concept's largest
    training margin along v; or a number δ for δ v."""
    threshold: float = THRESHOLD
    """The held-out accuracy that a concept must reach."""
    examples: int = 100
    """Images with, and images without each concept."""
    held_out: float = 0.25
    """The share of them that is not learned from."""
    regularisation: float = 0.001
    """C of the SVM."""

    def __post_init__(self) -> None:
        """Refuse steps that are no step, and two sources of concepts."""
        if not isinstance(self.step, str) and not math.isfinite(self.step):
            raise ValueError(f"step is {self.step}; it needs to be finite")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold}; it is an accuracy between 0 and 1")
        if self.bank and self.concepts:
            raise ValueError("concepts come from `bank` or are learned from `concepts`, not both")

    def artefacts(
        self, weights: ClassifierWeights, datasets: Mapping[str, ImageSet]
    ) -> Mapping[str, Recipe]:
        """The bank: in a file, or learned at the classifier's layer."""
        if self.bank:
            stored = StoredBank(self.bank)
            stored.read()  # a file that is no bank is found out before anything is trained
            return {BANK: stored}
        if weights.plan is None:
            message = f"{self.name} learns its concepts on the training of a classifier, and these "
            message += "weights come from elsewhere; give it a bank: --bank FILE, or bank=FILE "
            raise MismatchError(f"{message}(`xbench concepts learn` makes one)")
        recipe = LearnedBank(
            weights,
            weights.required_plan.classifier,
            checked_sources(self.concepts or (datasets["train"].dataset,)),
            datasets["train"].transform,
            self.examples,
            self.held_out,
            self.regularisation,
            weights.required_plan.seed,
        )
        return {BANK: recipe}

    def kept_bank(self, artefacts: Artefacts) -> ConceptBank:
        """The concepts of the bank that reach the threshold."""
        return ConceptBank.from_artefact(artefacts[BANK]).kept(self.threshold)

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[ConceptScores]:
        """The scores of each image; nothing random in it.

        As forwards of the top it counts one for each image and one for each of its concepts,
        also where an affine first part is shared and most of their cost is saved.
        """
        with torch.no_grad():
            activations = network.activations(batch.images)
            probe = self._probe(network, activations, artefacts[BANK])
            points = probe.top.first(activations)
            predictions = batch_predictions(network, probe.top.rest(points.clone()), batch)
            after = moved_log_probabilities(
                probe.top.rest, points, probe.top.displacements, predictions.labels, probe.top.rows
            )
        if probe.top.split:
            network.passes.top_forward += len(batch.ids) * (1 + len(probe.concepts))
        _check_finite(after, network, probe.concepts, self.step)
        return _explanations(probe, predictions, after.cpu())

    def _probe(
        self, network: Network, activations: Float[Tensor, "n d h w"], artefact: Artefact
    ) -> "ConceptProbe":
        """The kept concepts and what they add, made once for a network."""
        shape = list(activations.shape[1:])
        key = fingerprint([self.name, artefact.key, self.step, self.threshold, shape])
        if key not in network.auxiliary:
            bank = ConceptBank.from_artefact(artefact).kept(self.threshold)
            network.auxiliary[key] = concept_probe(network, activations, bank, self.step)
        probe = network.auxiliary[key]
        assert isinstance(probe, ConceptProbe)  # noqa: S101 - the key names nothing else
        return probe


class ConceptProbe(nn.Module):
    """The concepts of a bank, and the top under which they are added; not the bank itself."""

    def __init__(self, bank: ConceptBank, top: MovedTop) -> None:
        super().__init__()
        self.concepts, self.examples, self.verified = bank.concepts, bank.examples, bank.verified
        self.top = top


def concept_probe(
    network: Network, activations: Float[Tensor, "n d h w"], bank: ConceptBank, step: Step
) -> ConceptProbe:
    """The bank ready for the network; `MismatchError` where it belongs to another."""
    shape = activations.shape[1:]
    bank.check(network, tuple(shape))
    displacements = bank.displacements(step).reshape(-1, *shape).to(activations)
    return ConceptProbe(bank, moved_top(network.top, activations, displacements))


class Predictions(NamedTuple):
    """What the network says of images as they are."""

    labels: Int64[Tensor, " n"]
    """The classes that are explained."""
    known: bool
    """Whether these are the correct ones; else they are the predicted ones."""
    predicted: Int64[Tensor, " n"]
    before: Float64[Tensor, " n"]
    """log P(label | b)."""


def batch_predictions(
    network: Network, logits: Float[Tensor, "n classes"], batch: Batch
) -> Predictions:
    """What the logits of a batch say; `MismatchError` for labels that the network lacks."""
    predicted = network.checked(logits, batch.ids).argmax(dim=1)
    if batch.labels is None:
        return Predictions(predicted, False, predicted, log_probabilities(logits, predicted))
    wrong = (batch.labels < 0) | (batch.labels >= logits.shape[1])
    for place in wrong.nonzero()[:1, 0].tolist():
        message = f"image {batch.ids[place]} has the label {int(batch.labels[place])}, and "
        message += f"{network.name} has the classes 0 to {logits.shape[1] - 1}; "
        raise MismatchError(message + "explain it with a classifier of its data set")
    labels = batch.labels.to(logits.device)
    return Predictions(labels, True, predicted, log_probabilities(logits, labels))


def checked_sources(sources: tuple[Dataset, ...]) -> tuple[Dataset, ...]:
    """The data sets, or `MismatchError` where one has no examples of concepts."""
    lacking = [source.name for source in sources if not isinstance(source, ConceptExamples)]
    if lacking:
        message = f"dataset {lacking[0]!r} has no examples of concepts to learn a bank from; "
        message += "name data sets that have them, -p explainer.concepts='[…]' "
        message += f"({', '.join(example_datasets())}), or a bank's file, -p explainer.bank=FILE"
        raise MismatchError(message)
    return sources


def example_datasets() -> list[str]:
    """Names of all data sets that can be had here and have examples of concepts."""
    registry = Registry()
    return [name for name in registry.names("dataset") if _offers_examples(registry, name)]


def _offers_examples(registry: Registry, name: str) -> bool:
    try:
        return issubclass(registry.get("dataset", name), ConceptExamples)
    except PluginError:  # a broken plugin is reported elsewhere
        return False


def _check_finite(
    after: Float64[Tensor, "n concepts"],
    network: Network,
    concepts: tuple[Concept, ...],
    step: Step,
) -> None:
    places = (~torch.isfinite(after)).any(dim=0).nonzero()[:, 0].tolist()
    if places:
        message = f"{network.name} gives logits that are NaN or infinite after a step {step!r} "
        message += f"along the concept {concepts[places[0]].name!r}"
        raise NumericalError(f"{message}; take a shorter step, or leave the concept out")


def _explanations(
    probe: ConceptProbe, predictions: Predictions, after: Float64[Tensor, "n concepts"]
) -> list[ConceptScores]:
    before = predictions.before.cpu()
    scores, saturated = differences(before, after), saturated_share(after)
    return [
        ConceptScores(
            probe.concepts,
            scores.raw[place],
            scores.logarithmic[place],
            probability=float(before[place].exp()),
            label=int(predictions.labels[place]),
            predicted=int(predictions.predicted[place]),
            known=predictions.known,
            verified=probe.verified,
            examples=probe.examples,
            saturated=float(saturated[place]),
        )
        for place in range(len(before))
    ]
