"""Explanations, and the explainers that make them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from torch import Generator, Tensor

from xbench.artefact import Artefacts, Recipe
from xbench.classifier import Classifier, Network
from xbench.component import Component
from xbench.dataset import Batch, ImageSet


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


class Explainer(Component):
    """Makes one explanation for each image of a batch."""

    kind: ClassVar[str] = "explainer"
    makes: ClassVar[type[Explanation]]
    """The kind of explanation it makes; a protocol that scores this kind fits."""

    def artefacts(self, classifier: Classifier, datasets: Mapping[str, ImageSet]) -> Mapping[str, Recipe]:
        """What must exist before it can explain, by name; nothing unless overridden."""
        return {}

    @abstractmethod
    def explain(
        self, network: Network, batch: Batch, artefacts: Artefacts, generator: Generator
    ) -> list[Explanation]:
        """One explanation per image.

        Randomness comes from `generator`; draw it per image (`xbench.randomness.per_image`)
        so that explanations do not depend on how images were batched.
        """
