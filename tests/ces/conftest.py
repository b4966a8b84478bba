"""A small data set of shapes in coloured settings, with concepts, and a small network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from xbench import (
    Batch,
    Classifier,
    Concept,
    ConceptExamples,
    ConceptExamplesPair,
    Contexts,
    Dataset,
    ImageSet,
    LocalWorkplace,
    Network,
    Normalisation,
    TrainedWeights,
    Training,
    TrainingPlan,
    Workplace,
    generator,
)
from xbench.networks import cut_module
from xbench_zoo.losses import CrossEntropy

SIDE, CLASSES, SPAN = 20, 4, 1000
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
class Shapes(Dataset, Contexts, ConceptExamples):
    """Noise in a tinted setting; the class shows as a bright square in one of four corners."""

    name: ClassVar[str] = "shapes"

    count: int = 40
    """Images of each split; its ids start at 0 and at 1000."""

    def check(self) -> None:
        """Nothing can be missing."""

    def fingerprint(self) -> str:
        return f"shapes-{self.count}"

    def class_names(self) -> tuple[str, ...]:
        return tuple(f"class {label}" for label in range(CLASSES))

    def splits(self) -> tuple[str, ...]:
        return "train", "test"

    def ids(self, split: str) -> Sequence[int]:
        start = 0 if split == "train" else SPAN
        return range(start, start + self.count)

    def labels(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor([image % CLASSES for image in ids])

    def images(self, ids: Sequence[int]) -> Tensor:
        return torch.stack([self._image(image) for image in ids])

    def _image(self, image: int) -> Tensor:
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


def small_module(classes: int = CLASSES) -> nn.Sequential:
    """Two convolutions, then pooling and a linear head: 8×10×10 activations at 20 pixels."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(5),
        nn.Flatten(),
        nn.Linear(200, classes),
    )


@dataclass(frozen=True, kw_only=True)
class SmallCut(Classifier):
    """The small module as a component."""

    name: ClassVar[str] = "small-cut"

    def module(self, classes: int) -> nn.Module:
        return small_module(classes)

    def normalisation(self) -> Normalisation:
        return Normalisation((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))

    def input_size(self) -> int:
        return SIDE


def small_network(classes: int = CLASSES, seed: int = 0, layer: str = "") -> Network:
    """The small module with random weights, cut at its last stage (layer "4")."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = small_module(classes)
        nn.init.normal_(module[7].weight, std=0.5)
    normalisation = SmallCut().normalisation()
    return cut_module(
        module.eval(), classes=classes, size=SIDE, layer=layer, normalisation=normalisation
    )


def small_weights(training: Training | None = None, seed: int = 0, **fields) -> TrainedWeights:
    """The recipe of the small network's weights; without a `training` they are random."""
    images = ImageSet(Shapes(), "train")
    training = training or Training(epochs=0)
    values = {"validation": None, "classes": CLASSES, "classifier": SmallCut(), **fields}
    plan = TrainingPlan(loss=CrossEntropy(), training=training, images=images, seed=seed, **values)
    return TrainedWeights(plan)


@pytest.fixture
def network() -> Network:
    return small_network()


@pytest.fixture
def images() -> ImageSet:
    return ImageSet(Shapes(), "test")


@pytest.fixture
def batch(images: ImageSet) -> Batch:
    return images.batch(images.ids()[:6])


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return LocalWorkplace(torch.device("cpu"), 16, tmp_path)


@pytest.fixture
def shapes() -> type[Shapes]:
    """The data set's class; its only field is `count`."""
    return Shapes


@pytest.fixture
def make_network() -> Callable[..., Network]:
    """`small_network`, for tests that need another seed, layer or number of classes."""
    return small_network


@pytest.fixture
def make_weights() -> Callable[..., TrainedWeights]:
    """`small_weights`, for tests of recipes."""
    return small_weights
