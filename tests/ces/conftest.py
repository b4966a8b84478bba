"""A small data set of shapes in coloured settings, with concepts, and a small network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from small_datasets import Made
from small_networks import SIDE, Small, small_module, small_network
from xbench import (
    Batch,
    Concept,
    ConceptExamples,
    ConceptExamplesPair,
    Contexts,
    ImageSet,
    Network,
    Normalisation,
    TrainedWeights,
    Training,
    TrainingPlan,
    generator,
)
from xbench_zoo.losses import CrossEntropy

CLASSES = 4
TINTS = {"red": (90, 0, 0), "green": (0, 90, 0), "blue": (0, 0, 90)}
CONCEPTS = (
    *(Concept(name, "settings") for name in TINTS),
    Concept("dark", "image qualities"),
    Concept("striped", "textures"),
    Concept("nothing", "textures"),
)
"""The images of "nothing" differ from those without it in nothing."""


def _noise(count: int, source: torch.Generator) -> Tensor:
    return torch.randint(60, 160, (count, 3, SIDE, SIDE), generator=source)


def _tinted(images: Tensor, name: str) -> Tensor:
    return images + torch.tensor(TINTS[name])[:, None, None]


def _showing(name: str, images: Tensor) -> Tensor:
    if name in TINTS:
        return _tinted(images, name)
    if name == "dark":
        return images // 2
    if name == "striped":
        return images + 60 * (torch.arange(SIDE) % 2)
    return images


@dataclass(frozen=True)
class Shapes(Made, Contexts, ConceptExamples):
    """Noise in a tinted setting; the class shows as a bright square in one of four corners."""

    name: ClassVar[str] = "shapes"
    classes: ClassVar[tuple[str, ...]] = tuple(f"class {label}" for label in range(CLASSES))

    count: int = 40

    def image(self, image: int) -> Tensor:
        setting = tuple(TINTS)[self._setting(image)]
        pixels = _tinted(_noise(1, generator("image", image)), setting)[0]
        top, left = divmod(image % CLASSES, 2)
        pixels[:, 12 * top + 1 : 12 * top + 7, 12 * left + 1 : 12 * left + 7] = 250
        return pixels.clamp(0, 255).byte()

    def _setting(self, image: int) -> int:
        return int(torch.randint(len(TINTS), (), generator=generator("setting", image)))

    def context_names(self) -> tuple[str, ...]:
        return tuple(TINTS)

    def contexts(self, ids: Sequence[int]) -> Tensor:
        shown = torch.tensor([self._setting(image) for image in ids], dtype=torch.int64)
        return nn.functional.one_hot(shown, len(TINTS)).bool()

    def concepts(self) -> tuple[Concept, ...]:
        return CONCEPTS

    def concept_examples(
        self, name: str, count: int, generator: torch.Generator
    ) -> ConceptExamplesPair:
        positive = _showing(name, _noise(count, generator))
        negative = _noise(count, generator)
        return ConceptExamplesPair(positive.clamp(0, 255).byte(), negative.clamp(0, 255).byte())


@dataclass(frozen=True, kw_only=True)
class SmallCut(Small):
    """The small module with batch norm as a component."""

    name: ClassVar[str] = "small-cut"
    side: ClassVar[int] = SIDE

    def module(self, classes: int) -> nn.Module:
        return small_module(classes, norm=True)

    def normalisation(self) -> Normalisation:
        return Normalisation((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))


def network_of(classes: int = CLASSES, seed: int = 0, layer: str = "") -> Network:
    """The small module with random weights, cut at its last stage (layer "4")."""
    normalisation = SmallCut().normalisation()
    make = partial(small_module, classes, norm=True)
    return small_network(make, seed, 0.5, layer=layer, normalisation=normalisation)


def small_weights(training: Training | None = None, seed: int = 0, **fields) -> TrainedWeights:
    """The recipe of the small network's weights; without a `training` they are random."""
    images = ImageSet(Shapes(), "train")
    training = training or Training(epochs=0)
    values = {"validation": None, "classes": CLASSES, "classifier": SmallCut(), **fields}
    plan = TrainingPlan(loss=CrossEntropy(), training=training, images=images, seed=seed, **values)
    return TrainedWeights(plan)


@pytest.fixture
def network() -> Network:
    return network_of()


@pytest.fixture
def images() -> ImageSet:
    return ImageSet(Shapes(), "test")


@pytest.fixture
def batch(images: ImageSet) -> Batch:
    return images.batch(images.ids()[:6])


@pytest.fixture
def shapes() -> type[Shapes]:
    """The data set's class; its only field is `count`."""
    return Shapes


@pytest.fixture
def make_network() -> Callable[..., Network]:
    """`network_of`, for tests that need another seed, layer or number of classes."""
    return network_of


@pytest.fixture
def make_weights() -> Callable[..., TrainedWeights]:
    """`small_weights`, for tests of recipes."""
    return small_weights
