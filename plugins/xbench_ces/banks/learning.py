"""Learning a concept bank: one linear SVM a concept, on the activations of its images."""

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
from xbench_ces.banks.concept_images import (
    LEAST,
    ConceptOrigin,
    concept_images,
    concept_origins,
    features,
)
from xbench_ces.banks.start_weights import weights_below
from xbench_ces.kernels.svm import accuracy, linear_svm, stratified_split

if TYPE_CHECKING:
    from xbench import Workplace

THRESHOLD = 0.7
"""The held-out accuracy from which on a concept is kept, where nothing else is said."""


class ConceptVector(NamedTuple):
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
        return {**super().tree(), "layer": self.classifier.place}

    def needs(self) -> Mapping[str, Recipe]:
        """The weights below the layer."""
        return {"weights": weights_below(self.weights, self.classifier)}

    def build(self, needs: Artefacts, workplace: "Workplace") -> Artefact:
        """Learn one concept after the other; no activations of two are held at a time."""
        for source in self.sources:
            source.check()
        network = workplace.network(self.classifier, needs["weights"])
        origins, shape = concept_origins(self.sources), self._shape(network)
        vectors = []
        for place, origin in enumerate(origins):
            workplace.progress.update("concepts", place, len(origins), origin.concept.name)
            vectors.append(self._vector(network, origin, shape, workplace.batch_size))
        workplace.progress.update("concepts", len(origins), len(origins))
        bank = ConceptBank(
            concepts=tuple(origin.concept for origin in origins),
            normals=torch.stack([vector.normal for vector in vectors]),
            accuracies=torch.tensor([vector.accuracy for vector in vectors], dtype=torch.float64),
            margins=torch.tensor([vector.margin for vector in vectors], dtype=torch.float64),
            layer=network.layer,
            shape=shape,
            bottom=bottom_hash(network),
            examples=torch.stack([vector.picture for vector in vectors]),
            facts=self._facts(network.layer, origins, vectors),
        )
        return bank.artefact(self.key)

    def _vector(
        self, network: Network, origin: ConceptOrigin, shape: tuple[int, ...], batch_size: int
    ) -> ConceptVector:
        randomness = generator("concept", self.seed, origin.source.name, origin.concept.name)
        images = concept_images(origin, self.examples, randomness)
        labels = images.labels()
        split = stratified_split(labels, self.held_out, randomness)
        activations = features(network, images, self.transform, shape, batch_size)
        svm = linear_svm(activations[split.fitted], labels[split.fitted], self.regularisation)
        correct = (svm.distances > 0) == labels[split.fitted]
        facts = {
            "fitted": len(split.fitted),
            "held_out": len(split.held_out),
            "hashes": list(images.hashes),
            "fitted_accuracy": float(correct.double().mean()),
            "intercept": svm.intercept,
        }
        rate = accuracy(svm, activations[split.held_out], labels[split.held_out])
        return ConceptVector(svm.normal, rate, svm.margin, images.picture(), facts)

    def _shape(self, network: Network) -> tuple[int, ...]:
        """Of the activations of an image that the classifier is trained on."""
        images = self.weights.required_plan.images
        batch = images.batch(images.ids()[:1]).to(network.device)
        return tuple(network.activations(batch.images).shape[1:])

    def _facts(
        self,
        layer: str,
        origins: Sequence[ConceptOrigin],
        vectors: Sequence[ConceptVector],
    ) -> Tree:
        """Where the bank comes from."""
        pairs = list(zip((origin.concept.name for origin in origins), vectors, strict=True))
        weak_concepts = [name for name, vector in pairs if vector.accuracy < THRESHOLD]
        strong = len(origins) - len(weak_concepts)
        line = f"{len(origins)} concepts at {layer}, {strong} of accuracy {THRESHOLD}"
        return {
            "summary": [f"{line} or more"],
            "seed": self.seed,
            "examples": self.examples,
            "held_out": self.held_out,
            "regularisation": self.regularisation,
            "solver": f"SVC of scikit-learn {metadata.version('scikit-learn')}, on a Gram matrix",
            "sources": [
                {"name": source.name, "fingerprint": source.fingerprint()}
                for source in self.sources
            ],
            "transform": self.transform.tree(),
            "details": {name: vector.facts for name, vector in pairs},
            "weak": weak_concepts,
        }
