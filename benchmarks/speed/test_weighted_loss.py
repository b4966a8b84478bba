"""What losses that know of 1 000 classes add to a training step of a ResNet18.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_weighted_loss.py -s

Batches of 32 images of 64 × 64 pixels. What the loss takes is also measured by itself, as a
share of a step: on a busy machine two whole steps differ by more than their losses.
"""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from xbench import Batch, ClassHierarchy, Dataset, ImageSet, Similarity, Transform, generator
from xbench.networks import blank_module
from xbench_explicable.losses.hierarchical import HierarchicalCrossEntropy, SoftHierarchicalLabels
from xbench_explicable.losses.weighted import WeightedLoss
from xbench_zoo.losses import CrossEntropy
from xbench_zoo.torchvision_models import Torchvision

CLASSES, IMAGES, SIDE, LEVELS = 1000, 32, 64, 12
OPTIONS = {"classes": CLASSES, "epoch": 0, "generator": generator(0)}
PROMISED = 0.05


@dataclass(frozen=True)
class Thousand(Dataset, ClassHierarchy):
    """As many classes as ImageNet has, below a tree that is about as deep as WordNet."""

    name: ClassVar[str] = "thousand"

    def check(self):
        pass

    def fingerprint(self):
        return "thousand"

    def class_names(self):
        return tuple(f"class {label}" for label in range(CLASSES))

    def class_ancestors(self):
        return tuple(
            tuple(f"{level}-{label >> level}" for level in range(1, LEVELS))
            for label in range(CLASSES)
        )

    def splits(self):
        return ("train",)

    def ids(self, split):
        return range(IMAGES)

    def labels(self, ids):
        return torch.tensor(list(ids)) * 31

    def images(self, ids):
        return torch.zeros(len(ids), 3, SIDE, SIDE, dtype=torch.uint8)


@dataclass(frozen=True)
class Anything(Similarity):
    """A matrix of random numbers."""

    name: ClassVar[str] = "anything"

    def matrix(self, dataset):
        shape = (CLASSES, CLASSES)
        return torch.rand(shape, generator=generator("similarity"), dtype=torch.float64)


LOSSES = {
    "weighted, normalised": WeightedLoss(Anything()),
    "weighted, softmax": WeightedLoss(Anything(), "softmax"),
    "hierarchical cross-entropy": HierarchicalCrossEntropy(0.1),
    "soft hierarchical labels": SoftHierarchicalLabels(30.0),
}
SOURCE = ImageSet(Thousand(), "train", Transform())


def batch():
    ids = SOURCE.ids()
    pixels = torch.rand(IMAGES, 3, SIDE, SIDE, generator=generator("images"))
    return Batch(pixels, tuple(ids), SOURCE.dataset.labels(ids), SOURCE)


@pytest.fixture
def steps():
    """A training step with any loss, and the loss alone, from logits to their gradient."""
    torch.set_num_threads(1)
    module = blank_module(Torchvision("resnet18"), CLASSES).train()
    images = batch()
    logits = torch.randn(IMAGES, CLASSES, generator=generator("logits"), requires_grad=True)

    def step(loss):
        targets = loss.targets(images, **OPTIONS)
        module.zero_grad(set_to_none=True)
        loss.score(module(targets.images), targets).backward()

    def alone(loss):
        logits.grad = None
        loss.score(logits, loss.targets(images, **OPTIONS)).backward()

    return step, alone


@pytest.mark.parametrize("name", ["cross-entropy", *LOSSES])
def test_the_loss_alone_as_a_share_of_a_training_step(ratio, steps, name):
    step, alone = steps
    loss = LOSSES.get(name, CrossEntropy())
    made = ratio(lambda: alone(loss), lambda: step(CrossEntropy()), rounds=9)
    assert made <= PROMISED, "more than the documented share of a training step"


@pytest.mark.parametrize("name", LOSSES)
def test_a_training_step_in_steps_with_cross_entropy(ratio, steps, name):
    step, _ = steps
    assert ratio(lambda: step(LOSSES[name]), lambda: step(CrossEntropy()), rounds=9) > 0
