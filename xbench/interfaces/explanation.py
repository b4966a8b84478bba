"""Explanations, and the explainers that make them."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Self, TypeVar

from jaxtyping import Bool, Float
from torch import Generator, Tensor

from xbench.errors import MismatchError, UsageError
from xbench.interfaces.artefact import Artefacts, entries_below
from xbench.interfaces.classifier import Network
from xbench.interfaces.component import Component
from xbench.interfaces.data.dataset import Batch, ImageSet
from xbench.interfaces.readout import Difficulty
from xbench.interfaces.recipe import ClassifierWeights, Recipe

Look = Literal["overlay", "mask"]
"""How an explanation is shown without words: laid on the image, or as what is left of it."""


class PairRegion(NamedTuple):
    """Where in an image two classes are hard to tell apart, or are told apart."""

    region: Bool[Tensor, "h w"]
    classes: tuple[int, int]


class Explanation(ABC):
    """A small frozen value that can be saved, loaded and drawn. Plugins have the kinds."""

    name: ClassVar[str]

    @abstractmethod
    def tensors(self) -> Mapping[str, Tensor]:
        """Everything the explanation consists of, by name."""

    @classmethod
    @abstractmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The explanation whose `tensors` these are."""

    @abstractmethod
    def draw(self, batch: Batch, examples: ImageSet | None, class_names: tuple[str, ...]) -> Any:
        """A matplotlib figure.

        `batch` holds the one image that is explained; `examples` are images to take
        pictures of the classes from, and annotations, where there are any.
        """

    def wordless(
        self, image: Float[Tensor, "3 h w"], look: Look = "overlay"
    ) -> Float[Tensor, "3 h2 w2"]:
        """One picture of the explanation on its image, for people who must not be told a class.

        It has no words and no numbers. `MismatchError` unless overridden.
        """
        raise MismatchError(f"explanations of kind {self.name!r} cannot be shown without words")

    def pair_regions(self, coverage: float) -> Sequence[PairRegion]:
        """The regions that it gives to pairs of classes, the strongest first.

        Each covers the share `coverage` of the image. `MismatchError` unless overridden.
        """
        raise MismatchError(f"explanations of kind {self.name!r} have no regions of two classes")


Given = Mapping[str, Sequence[Explanation]]
"""What the explainers among an explainer's fields made of the same images, by field."""


class Explainer(Component):
    """Makes one explanation for each image of a batch."""

    kind: ClassVar[str] = "explainer"
    makes: ClassVar[type[Explanation]]
    """The kind of explanation it makes; a protocol that scores this kind fits."""

    role: ClassVar[Literal["entry", "floor", "ceiling"]] = "entry"
    """What it is in comparisons: a method, a floor that methods should beat, or a ceiling that they
    cannot; lists keep them apart. A benchmark says for itself in which role it compares one."""
    kept: ClassVar[bool] = True
    """Whether its explanations are kept in the store: not where one is made again from what is
    kept, without a network, for less than it costs to read it."""

    def companion(self) -> Difficulty | None:
        """What the classifier has to be trained jointly with.

        Unless overridden: what an explainer among its fields needs, if there is one.
        """
        asked = (inner.companion() for inner in self.inner().values())
        return next((one for one in asked if one is not None), None)

    def artefacts(
        self, weights: ClassifierWeights, datasets: Mapping[str, ImageSet]
    ) -> Mapping[str, Recipe]:
        """What must exist before it can explain, by name.

        Unless overridden: what an explainer among its fields needs, under the same names.
        `weights` is the recipe of the classifier's weights, and says how it is trained.
        """
        declared: dict[str, Recipe] = {}
        for inner in self.inner().values():
            declared |= inner.artefacts(weights, datasets)
        return declared

    def inner(self) -> "Mapping[str, Explainer]":
        """The explainers among its fields, by field."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {name: value for name, value in values.items() if isinstance(value, Explainer)}

    def builds_on(self) -> "Mapping[str, Explainer]":
        """The explainers whose explanations it is given: those among its fields.

        Override it where some of these only say what is explained, and need not explain.
        """
        return self.inner()

    @abstractmethod
    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> Sequence[Explanation]:
        """One explanation per image.

        Randomness comes from `generator`; draw it per image (`xbench.per_image`) so that
        explanations do not depend on how images were batched. `given` has what the explainers
        that it builds on made of the same images, by field: it calls none of them itself.
        """


Kind = TypeVar("Kind", bound=Explanation)


def explained(
    explainer: Explainer,
    network: Network,
    batch: Batch,
    artefacts: Artefacts,
    generator: Generator,
) -> Sequence[Explanation]:
    """What an explainer makes of a batch, and those that it builds on before it; nothing is kept.

    A protocol asks its bench instead, which keeps explanations and checks who makes them.
    """
    given = {
        name: explained(inner, network, batch, artefacts, generator)
        for name, inner in explainer.builds_on().items()
    }
    return explainer.explain(network, batch, artefacts, generator, given)


def save_explanations(path: Path, explanations: Sequence[Explanation]) -> None:
    """Write explanations of one kind to one safetensors file."""
    from safetensors.torch import save_file

    kinds = {explanation.name for explanation in explanations}
    if len(kinds) > 1:
        raise MismatchError(
            f"one file holds one kind of explanation, not {', '.join(sorted(kinds))}"
        )
    tensors = {
        f"{place}.{name}": tensor.detach().cpu().clone().contiguous()
        for place, explanation in enumerate(explanations)
        for name, tensor in explanation.tensors().items()
    }
    metadata = {"kind": next(iter(kinds), ""), "count": str(len(explanations))}
    save_file(tensors, path, metadata)


def load_explanations(path: Path, kind: type[Kind]) -> list[Kind]:
    """The explanations in a file that `save_explanations` wrote, in the same order."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise UsageError(f"{path} cannot be read as explanations: {error}") from error
    if metadata.get("kind", "") not in ("", kind.name) or "count" not in metadata:
        kind_found = metadata.get("kind") or "something else"
        raise MismatchError(f"{path} holds {kind_found}, not explanations of kind {kind.name!r}")
    places = [f"{place}." for place in range(int(metadata["count"]))]
    return [kind.from_tensors(entries_below(place, tensors)) for place in places]
