"""Concept banks: directions of human concepts in the activations of one layer."""

import dataclasses
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from xbench import Artefact, Concept, MismatchError, Network
from xbench.networks import original_names, state_hash

Step = float | Literal["paper", "margin"]
"""How far a concept is added: δ · v with δ a number, 10 000 for `paper`; or, with `margin`, the
concept's largest training margin along v / ‖v‖."""

PAPER_STEP = 10_000.0
TENSORS = ("normals", "accuracies", "margins")
"""What every bank has, beside pictures of its concepts."""


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

    def one_sided(self) -> tuple[str, ...]:
        """Concepts that were never found, in no training image: their margin is not positive.

        Where most images are negative, that is right for most of them.
        """
        margins = zip(self.names, self.margins.tolist(), strict=True)
        return tuple(name for name, margin in margins if margin <= 0)

    def kept(self, threshold: float) -> Self:
        """The bank of those concepts whose held-out accuracy reaches the threshold.

        `MismatchError` where none does.
        """
        places = (self.accuracies >= threshold).nonzero()[:, 0]
        if not len(places):
            best = float(self.accuracies.max()) if len(self.accuracies) else 0.0
            message = f"none of the {len(self.concepts)} concepts of the bank of layer "
            message += f"{self.layer!r} reaches a held-out accuracy of {threshold:g} (the best has "
            raise MismatchError(
                f"{message}{best:.2f}); lower the threshold, or learn other concepts"
            )
        return self._subset(places)

    def _subset(self, places: Tensor) -> Self:
        if len(places) == len(self.concepts):
            return self
        return dataclasses.replace(
            self,
            concepts=tuple(self.concepts[place] for place in places.tolist()),
            normals=self.normals[places],
            accuracies=self.accuracies[places],
            margins=self.margins[places],
            examples=None if self.examples is None else self.examples[places],
        )

    def displacements(self, step: Step) -> Float[Tensor, "concepts m"]:
        """What is added to the activations for each concept."""
        if step == "margin":
            lengths = torch.linalg.vector_norm(self.normals, dim=1, dtype=torch.float64)
            return self.normals * (self.margins / lengths).to(self.normals.dtype)[:, None]
        return self.normals * (PAPER_STEP if step == "paper" else step)

    def check(self, network: Network, shape: Sequence[int] = ()) -> None:
        """Raise `MismatchError` for a network that the bank was not learned on.

        `shape` is that of one image's activations, where they are known already. Of a bank
        whose weights are not known, only layer and shape are compared, and its layer may be
        the name of the block whose output the network's layer is.
        """
        if not self._fits_layer(network.layer):
            message = f"the concept bank is of layer {self.layer!r}, and {network.name} is cut at "
            message += f"{network.layer!r}; cut it there with -p classifier.layer={self.layer}"
            raise MismatchError(f"{message}, or learn a bank of that layer")
        if shape and tuple(shape) != self.shape:
            message = f"the concept bank is of activations of shape {shape_text(self.shape)}, and "
            message += f"images give {network.name} activations of shape {shape_text(shape)} at "
            message += f"layer {self.layer!r}; "
            raise MismatchError(f"{message}learn a bank on images of this size")
        if self.verified and self.bottom != bottom_hash(network):
            message = f"the concept bank was learned on other weights below layer {self.layer!r} "
            message += f"than those of {network.name}; learn one on these with"
            raise MismatchError(f"{message} `xbench concepts learn`")

    def _fits_layer(self, layer: str) -> bool:
        return layer == self.layer or (not self.verified and layer.startswith(f"{self.layer}."))

    def artefact(self, key: str) -> Artefact:
        """The bank as an artefact."""
        tensors = {"normals": self.normals, "accuracies": self.accuracies, "margins": self.margins}
        if self.examples is not None:
            tensors["examples"] = self.examples
        facts = {
            **self.facts,
            "concepts": [list(concept) for concept in self.concepts],
            "layer": self.layer,
            "shape": list(self.shape),
            "bottom": self.bottom,
        }
        return Artefact(key, tensors, facts)

    @classmethod
    def from_artefact(cls, artefact: Artefact) -> Self:
        """The bank in an artefact."""
        facts, tensors = artefact.facts, artefact.tensors
        return cls(
            concepts=tuple(Concept(name, family) for name, family in facts["concepts"]),
            **{name: tensors[name] for name in TENSORS},
            layer=facts["layer"],
            shape=tuple(facts["shape"]),
            bottom=facts["bottom"],
            examples=tensors.get("examples"),
            facts=facts,
        )


_hashes: weakref.WeakKeyDictionary[Network, tuple[list[tuple[int, int]], str]] = (
    weakref.WeakKeyDictionary()
)


def bottom_hash(network: Network) -> str:
    """A hash of all tensors below the layer, by the names that the module that was cut gives them.

    The normalisation is part of it and the head is not. Hashed again only if a tensor changed.
    """
    state = network.bottom.state_dict()
    versions = [(t.data_ptr(), t._version) for t in state.values()]  # noqa: SLF001
    entry = _hashes.get(network)
    if entry is None or entry[0] != versions:
        names = original_names(network.bottom)
        tensors = {names.get(name, name): tensor for name, tensor in state.items()}
        entry = _hashes[network] = versions, state_hash(tensors)
    return entry[1]


def shape_text(shape: Sequence[int]) -> str:
    """A shape as people write it: 512×1×1."""
    return "×".join(map(str, shape))
