"""Floors: scores that know nothing of the concepts, and a model that knows of no confound."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, cast, runtime_checkable

import torch
from torch import Generator

from xbench import (
    Artefacts,
    Batch,
    ClassifierWeights,
    Explainer,
    Given,
    ImageSet,
    MismatchError,
    Network,
    Recipe,
    Role,
    per_image,
)
from xbench_ces.banks.bank import ConceptBank
from xbench_ces.scores.concept_scores import ConceptScores
from xbench_ces.scores.explainer import batch_predictions


@runtime_checkable
class BankExplainer(Protocol):
    """An explainer that scores the concepts of a bank."""

    def kept_bank(self, artefacts: Artefacts) -> ConceptBank:
        """The concepts that it scores."""


@dataclass(frozen=True)
class SameConcepts(Explainer):
    """Scores the concepts of another explainer; whose scores they get is its own matter."""

    makes: ClassVar[type[ConceptScores]] = ConceptScores
    role: ClassVar[Role] = "floor"

    of: Explainer

    def artefacts(
        self, weights: ClassifierWeights, datasets: Mapping[str, ImageSet]
    ) -> Mapping[str, Recipe]:
        """Those of the other explainer, if it has a bank."""
        bank_explainer(self, self.of)
        return super().artefacts(weights, datasets)

    def kept_bank(self, artefacts: Artefacts) -> ConceptBank:
        """That of the other explainer."""
        return bank_explainer(self, self.of).kept_bank(artefacts)


@dataclass(frozen=True)
class RandomConcepts(SameConcepts):
    """The concepts of another explainer in a random order."""

    name: ClassVar[str] = "random-concepts"

    def builds_on(self) -> Mapping[str, Explainer]:
        """Nothing: of the other explainer only the bank is asked for."""
        return {}

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[ConceptScores]:
        """Scores drawn uniformly from [−1, 1] for each image and concept, raw and logarithmic.

        The network only says what it predicts.
        """
        bank = self.kept_bank(artefacts)
        predictions = batch_predictions(network, network.logits(batch.images, batch.ids), batch)
        explanations = []
        for place, image in enumerate(batch.ids):
            randomness = per_image(generator, image)
            draws = torch.rand(2, len(bank.concepts), generator=randomness, dtype=torch.float64)
            raw, logarithmic = 2 * draws - 1
            explanation = ConceptScores(
                bank.concepts,
                raw,
                logarithmic,
                probability=float(predictions.before[place].exp()),
                label=int(predictions.labels[place]),
                predicted=int(predictions.predicted[place]),
                known=predictions.known,
                verified=bank.verified,
                examples=bank.examples,
            )
            explanations.append(explanation)
        return explanations


@dataclass(frozen=True)
class ControlModel(SameConcepts):
    """Another explainer, asked about a model that was trained without a spurious correlation.

    Which model that is, the protocol knows; elsewhere it is the other explainer itself.
    """

    name: ClassVar[str] = "control-model"

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[ConceptScores]:
        """What the other explainer makes of the images."""
        bank_explainer(self, self.of)
        return cast("list[ConceptScores]", list(given["of"]))


def bank_explainer(floor: Explainer, explainer: Explainer) -> BankExplainer:
    """The explainer, or `MismatchError` if it scores no concepts of a bank."""
    if not isinstance(explainer, BankExplainer):
        message = f"explainer {floor.name!r} needs one that scores the concepts of a bank, such "
        message += f"as 'ces'; {explainer.name!r} makes {explainer.makes.name}"
        raise MismatchError(f"{message}: give another one as `of`")
    return explainer
