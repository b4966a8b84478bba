"""Tiny things to try components on: a network, images, and a dataset that knows everything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float, Float64, Int, Int16, Int64, UInt8
from torch import Generator, Tensor, nn

from xbench.interfaces.classifier import Classifier, Network, Normalisation, PassCounter
from xbench.interfaces.data.annotation import (
    ClassAttributes,
    ClassHierarchy,
    Concept,
    ConceptExamples,
    ConceptExamplesPair,
    Contexts,
    HumanLabels,
    IdealObserver,
    ObjectBoxes,
    PartAttribute,
    PartMasks,
    PartPoints,
    PartRedraws,
    PartRemovals,
)
from xbench.interfaces.data.dataset import Batch, Dataset, ImageSet
from xbench.interfaces.data.transform import Transform
from xbench.interfaces.loss import Loss, Targets
from xbench.networks.network import CutNetwork, Parts, WholeNetwork, count_passes
from xbench.randomness import generator

CLASSES = 5
"""How many classes the tiny dataset and the tiny network have."""
SIDE = 16
"""Of the tiny images, in pixels."""
_OF_A_SPLIT = 4 * CLASSES


class _RowBelow(nn.Module):
    """Maps with a row below them that belongs to no location, as a class token does not."""

    def __init__(self) -> None:
        super().__init__()
        self.row = nn.Parameter(torch.rand(1, 6, 1, SIDE // 2))

    def forward(self, maps: Float[Tensor, "n d i j"]) -> Float[Tensor, "n d i+1 j"]:
        return torch.cat([maps, self.row.expand(len(maps), -1, -1, -1)], 2)


def tiny_network(seed: int = 0, *, row_below: bool = False) -> Network:
    """A small random network for 16×16 images and five classes, cut after its convolution.

    Its activations are 8×8 maps; they can have a row below the picture.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        bottom = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.ReLU())
        if row_below:
            bottom.append(_RowBelow())
        top = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, CLASSES))
    for module in (bottom, top):
        module.eval().requires_grad_(requires_grad=False)
    grid = SIDE // 2, SIDE // 2
    return _counting(Parts(bottom, top, str(len(bottom) - 1), grid, int(row_below)))


def _counting(parts: Parts) -> CutNetwork:
    passes = PassCounter()
    count_passes(parts.bottom, parts.top, passes)
    return CutNetwork(parts, CLASSES, passes)


def whole_tiny_network(seed: int = 0) -> WholeNetwork:
    """The same network, not cut until somebody asks for a part of it."""
    cut = tiny_network(seed)
    parts = Parts(cut.bottom, cut.top, cut.layer, cut.grid)
    module = nn.Sequential(*cut.parts).eval()
    return WholeNetwork(module, lambda _, __: parts, CLASSES, "network")


def tiny_batch(count: int = 4, seed: int = 0) -> Batch:
    """Random 16×16 images with labels."""
    draws = generator("tiny", seed)
    labels = torch.randint(CLASSES, (count,), generator=draws)
    return Batch(torch.rand(count, 3, SIDE, SIDE, generator=draws), tuple(range(count)), labels)


@dataclass(frozen=True)
class TinyClassifier(Classifier):
    """A network for 16×16 images: a convolution and a linear layer."""

    name: ClassVar[str] = "tiny"

    def module(self, classes: int) -> nn.Module:
        """With random weights."""
        bottom = (nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.ReLU())
        return nn.Sequential(*bottom, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, classes))

    def normalisation(self) -> Normalisation:
        """That of photographs."""
        return Normalisation()

    def input_size(self) -> int:
        """The side of the tiny images."""
        return SIDE


@dataclass(frozen=True)
class TinyLoss(Loss):
    """Cross-entropy with the labels, for trainings that nobody looks at."""

    name: ClassVar[str] = "tiny"

    def targets(self, batch: Batch, *, classes: int, epoch: int, generator: Generator) -> Targets:
        """The labels."""
        labels = nn.functional.one_hot(batch.known_labels(), classes)
        return Targets(batch.images, labels.to(batch.images.dtype), batch.source)

    def score(self, logits: Float[Tensor, "n classes"], targets: Targets) -> Float[Tensor, ""]:
        """Nats."""
        return nn.functional.cross_entropy(logits, targets.distribution)


@dataclass(frozen=True)
class TinyDataset(
    Dataset,
    PartPoints,
    PartMasks,
    ObjectBoxes,
    PartRemovals,
    PartRedraws,
    ClassAttributes,
    ClassHierarchy,
    Contexts,
    ConceptExamples,
    HumanLabels,
    IdealObserver,
):
    """Five classes and every kind of annotation, for components that ask a dataset about these."""

    name: ClassVar[str] = "tiny"
    simulated = True

    def check(self) -> None:
        """Nothing can be missing."""

    def fingerprint(self) -> str:
        """Always the same."""
        return "tiny"

    def class_names(self) -> tuple[str, ...]:
        """Five plain words."""
        return ("cat", "dog", "horse", "car", "truck")

    def class_ancestors(self) -> tuple[tuple[str, ...], ...]:
        """Three animals, two of them pets, and two vehicles."""
        pet, animal, vehicle = ("pet", "animal", "thing"), ("animal", "thing"), ("vehicle", "thing")
        return (pet, pet, animal, vehicle, vehicle)

    def splits(self) -> tuple[str, ...]:
        """Three of equal size."""
        return ("test", "train", "validation")

    def ids(self, split: str) -> Sequence[int]:
        """Four images of each class."""
        first = self.splits().index(split) * _OF_A_SPLIT
        return range(first, first + _OF_A_SPLIT)

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """The classes in turn."""
        return torch.tensor(list(ids), dtype=torch.int64) % CLASSES

    def images(self, ids: Sequence[int]) -> Sequence[UInt8[Tensor, "3 16 16"]]:
        """Noise."""
        sources = [generator("tiny image", image) for image in ids]
        return [torch.randint(256, (3, SIDE, SIDE), generator=s).to(torch.uint8) for s in sources]

    def label_counts(self, ids: Sequence[int]) -> Int[Tensor, "n classes"]:
        """Eight of ten annotators are right; the others say the next class."""
        right = torch.nn.functional.one_hot(self.labels(ids), CLASSES)
        return 8 * right + 2 * right.roll(1, dims=1)

    def part_names(self) -> tuple[str, ...]:
        """Two parts."""
        return ("front", "back")

    def part_points(self, ids: Sequence[int]) -> Float[Tensor, "n 2 3"]:
        """Always at the same places."""
        return torch.tensor([[4.5, 8.5, 1.0], [11.5, 8.5, 1.0]]).repeat(len(ids), 1, 1)

    def mask_names(self) -> tuple[str, ...]:
        """The same two parts."""
        return self.part_names()

    def part_masks(self, ids: Sequence[int]) -> Sequence[Int16[Tensor, "16 16"]]:
        """One part left, one right, in the lower half."""
        halves = (torch.arange(SIDE) * 2 // SIDE).to(torch.int16).repeat(SIDE, 1)
        halves[: SIDE // 2] = -1
        return [halves.clone() for _ in ids]

    def object_boxes(self, ids: Sequence[int]) -> Float[Tensor, "n 4"]:
        """The lower half; every fourth image has no box."""
        boxes = torch.tensor([[0.0, SIDE / 2, SIDE, SIDE / 2]]).repeat(len(ids), 1)
        boxes[torch.tensor(list(ids)) % 4 == 3] = torch.nan
        return boxes

    def images_without(
        self, ids: Sequence[int], removed: Bool[Tensor, "n 2"]
    ) -> Sequence[UInt8[Tensor, "3 16 16"]]:
        """Grey where the removed parts are."""
        grey = [torch.full((3, SIDE, SIDE), 128, dtype=torch.uint8) for _ in ids]
        return self._replaced(ids, removed, grey)

    def images_redrawn(
        self, ids: Sequence[int], redrawn: Bool[Tensor, "n 2"], draw: int
    ) -> Sequence[UInt8[Tensor, "3 16 16"]]:
        """Other noise where the redrawn parts are."""
        sources = [generator("tiny redraw", image, draw) for image in ids]
        noise = [torch.randint(256, (3, SIDE, SIDE), generator=s).to(torch.uint8) for s in sources]
        return self._replaced(ids, redrawn, noise)

    def _replaced(
        self, ids: Sequence[int], marks: Bool[Tensor, "n 2"], others: Sequence[Tensor]
    ) -> list[UInt8[Tensor, "3 16 16"]]:
        """The images, with the pixels of others where marked parts are."""
        masks = zip(self.part_masks(ids), marks, strict=True)
        inside = [torch.isin(mask.long(), marked.nonzero().flatten()) for mask, marked in masks]
        images = zip(inside, others, self.images(ids), strict=True)
        return [torch.where(where, other, image) for where, other, image in images]

    def class_attributes(self) -> tuple[PartAttribute, ...]:
        """The colour of each part: neighbouring classes are alike."""
        likely = 80 * torch.eye(CLASSES, 2, dtype=torch.float64) + 10
        front = PartAttribute(0, "colour", ("red", "blue"), likely)
        return (front, PartAttribute(1, "colour", ("red", "blue"), likely.flip(0)))

    def context_names(self) -> tuple[str, ...]:
        """Two settings."""
        return ("day", "night")

    def contexts(self, ids: Sequence[int]) -> Bool[Tensor, "n 2"]:
        """Every other image by day."""
        day = torch.tensor(list(ids), dtype=torch.int64) % 2 == 0
        return torch.stack([day, ~day], dim=1)

    def concepts(self) -> tuple[Concept, ...]:
        """Two brightnesses."""
        return (Concept("dark", "brightness"), Concept("bright", "brightness"))

    def concept_examples(self, name: str, count: int, generator: Generator) -> ConceptExamplesPair:
        """Dark and bright noise."""
        low, high = torch.randint(128, (2, count, 3, SIDE, SIDE), generator=generator)
        dark, bright = low.to(torch.uint8), (high + 128).to(torch.uint8)
        pair = (dark, bright) if name == "dark" else (bright, dark)
        return ConceptExamplesPair(*pair)

    def part_likelihoods(self, ids: Sequence[int]) -> Float64[Tensor, "n 2 classes"]:
        """One part tells the class apart from the next."""
        likely = torch.full((len(ids), 2, CLASSES), 0.1, dtype=torch.float64)
        right = torch.nn.functional.one_hot(self.labels(ids), CLASSES)
        likely[:, 0] += 0.8 * (right + right.roll(1, dims=1))
        likely[:, 1] += 0.8 * right
        return likely

    def class_posterior(self, ids: Sequence[int]) -> Float64[Tensor, "n classes"]:
        """Of the product of both parts."""
        joint = self.part_likelihoods(ids).prod(dim=1)
        return joint / joint.sum(dim=1, keepdim=True)


def tiny_images(split: str = "test") -> ImageSet:
    """The images of the tiny dataset."""
    return ImageSet(TinyDataset(), split, Transform())
