"""Concept banks: directions of human concepts in the activations of one layer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from xbench.annotation import Concept
from xbench.artefact import Artefact

Step = float | Literal["paper", "margin"]
"""How far a concept is added: δ · v with δ a number, 10 000 for `paper`; or, with `margin`, the
concept's largest training margin along v / ‖v‖."""

PAPER_STEP = 10_000.0


@dataclass(frozen=True, eq=False)
class ConceptBank:
    """Concept activation vectors of one layer of one network."""

    concepts: tuple[Concept, ...]
    normals: Float[Tensor, "concepts m"]
    """v, the normal of each concept's SVM as it was learned; not of unit length."""
    accuracies: Float64[Tensor, " concepts"]
    """Share of held-out images that are classified rightly."""
    margins: Float64[Tensor, " concepts"]
    """Largest signed distance of a training image from the hyperplane."""
    layer: str
    shape: tuple[int, ...]
    """Of one image's activations: channels, height, width."""
    bottom: str = ""
    """Hash of the weights below the layer; "" where they are not known."""
    examples: UInt8[Tensor, "concepts 3 s s"] | None = None
    """A small picture of each concept, where there are any."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """How it was learned: seed, counts, hashes of the images; or where it came from."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the concepts."""
        return tuple(concept.name for concept in self.concepts)

    @property
    def verified(self) -> bool:
        """Whether it is known which weights it belongs to."""
        return bool(self.bottom)

    def kept(self, threshold: float) -> Self:
        """The bank of those concepts whose held-out accuracy reaches the threshold."""
        raise NotImplementedError

    def displacements(self, step: Step) -> Float[Tensor, "concepts m"]:
        """What is added to the activations for each concept."""
        raise NotImplementedError

    def artefact(self, key: str) -> Artefact:
        """The bank as an artefact."""
        raise NotImplementedError

    @classmethod
    def of(cls, artefact: Artefact) -> Self:
        """The bank in an artefact."""
        raise NotImplementedError(json.dumps(dict(artefact.facts)))
