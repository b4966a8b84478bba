"""Learning a concept bank: one linear SVM a concept, on the activations of its images."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from xbench import (
    Artefact,
    Artefacts,
    Classifier,
    ClassifierWeights,
    Dataset,
    Network,
    ParameterError,
    Recipe,
    Transform,
    Tree,
    generator,
)
from xbench_ces.banks.bank import ConceptBank, bottom_hash
from xbench_ces.banks.concept_images import LEAST, Listed, drawn, features, listed
from xbench_ces.banks.start_weights import weights_below
from xbench_ces.kernels.svm import accuracy, linear_svm, stratified_split

if TYPE_CHECKING:
    from xbench import Workplace

THRESHOLD = 0.7
"""The held-out accuracy from which on a concept is kept, where nothing else is said."""


class Learned(NamedTuple):
    """One concept's direction, and how it was learned."""

    normal: Float[Tensor, " m"]
    accuracy: float
    margin: float
    picture: UInt8[Tensor, "3 48 48"]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class LearnedBank(Recipe):
    """A bank of all concepts of some datasets, at the classifier's layer.

    It holds every concept, also those that were learned badly: thresholds are applied on use.
    What is learned of a concept does not depend on the others.
    """

    kind: ClassVar[str] = "concept-bank"
    not_in_key: ClassVar[tuple[str, ...]] = ("weights", "classifier")

    weights: ClassifierWeights
    classifier: Classifier
    sources: tuple[Dataset, ...]
    """They have the annotation `ConceptExamples`."""
    transform: Transform
    examples: int = 100
    """Images with, and images without each concept."""
    held_out: float = 0.25
    """The share of them that is not learned from."""
    regularisation: float = 0.001
    """C of the SVM."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        if self.examples < LEAST:
            raise ParameterError(f"examples is {self.examples}; at least {LEAST} are needed")
        if not 0 < self.held_out < 1:
            raise ParameterError(f"held_out is {self.held_out}; it needs 0 < held_out < 1")
        if not self.regularisation > 0:
            raise ParameterError(f"regularisation is {self.regularisation}; it needs to be above 0")

    def tree(self) -> Tree:
        """The layer, the concepts' images, and how directions are learned from them."""
        return {**super().tree(), "layer": self.classifier.layer}

    def needs(self) -> Mapping[str, Recipe]:
        """The weights below the layer."""
        return {"weights": weights_below(self.weights, self.classifier)}

    def build(self, needs: Artefacts, workplace: "Workplace") -> Artefact:
        """Learn one concept after the other; no activations of two are held at a time."""
        start = time.perf_counter()
        for source in self.sources:
            source.check()
        network = workplace.network(self.classifier, needs["weights"])
        found, shape = listed(self.sources), self._shape(network)
        learned = []
        for done, one in enumerate(found):
            workplace.progress.update("concepts", done, len(found), one.concept.name)
            learned.append(self._learned(network, one, shape, workplace.batch_size))
        workplace.progress.update("concepts", len(found), len(found))
        seconds = time.perf_counter() - start
        bank = ConceptBank(
            concepts=tuple(one.concept for one in found),
            normals=torch.stack([one.normal for one in learned]),
            accuracies=torch.tensor([one.accuracy for one in learned], dtype=torch.float64),
            margins=torch.tensor([one.margin for one in learned], dtype=torch.float64),
            layer=network.layer,
            shape=shape,
            bottom=bottom_hash(network),
            examples=torch.stack([one.picture for one in learned]),
            facts=self._facts(network.layer, found, learned, seconds),
        )
        return bank.artefact(self.key)

    def _learned(
        self, network: Network, of: Listed, shape: tuple[int, ...], batch_size: int
    ) -> Learned:
        source = generator("concept", self.seed, of.source.name, of.concept.name)
        images = drawn(of, self.examples, source)
        labels = images.labels()
        split = stratified_split(labels, self.held_out, source)
        activations = features(network, images, self.transform, shape, batch_size)
        svm = linear_svm(activations[split.fitted], labels[split.fitted], self.regularisation)
        right = (svm.distances > 0) == labels[split.fitted]
        facts = {
            "fitted": len(split.fitted),
            "held_out": len(split.held_out),
            "hashes": list(images.hashes),
            "fitted_accuracy": float(right.double().mean()),
            "intercept": svm.intercept,
        }
        rate = accuracy(svm, activations[split.held_out], labels[split.held_out])
        return Learned(svm.normal, rate, svm.margin, images.picture(), facts)

    def _shape(self, network: Network) -> tuple[int, ...]:
        """Of the activations of an image that the classifier is trained on."""
        images = self.weights.required_plan.images
        batch = images.batch(images.ids()[:1]).to(network.device)
        return tuple(network.activations(batch.images).shape[1:])

    def _facts(
        self, layer: str, found: Sequence[Listed], learned: Sequence[Learned], seconds: float
    ) -> Tree:
        """Where the bank comes from."""
        pairs = list(zip((one.concept.name for one in found), learned, strict=True))
        weak = [name for name, made in pairs if made.accuracy < THRESHOLD]
        line = f"{len(found)} concepts at {layer}, {len(found) - len(weak)} of accuracy {THRESHOLD}"
        return {
            "summary": [f"{line} or more, learned in {seconds:.0f} s"],
            "seed": self.seed,
            "examples": self.examples,
            "held_out": self.held_out,
            "regularisation": self.regularisation,
            "solver": f"SVC of scikit-learn {metadata.version('scikit-learn')}, on a Gram matrix",
            "sources": [{"name": s.name, "fingerprint": s.fingerprint()} for s in self.sources],
            "transform": self.transform.tree(),
            "details": {name: made.facts for name, made in pairs},
            "weak": weak,
        }
