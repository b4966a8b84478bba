"""Cross-entropy as its formula has it."""

import math

import pytest
import torch

from xbench import Batch
from xbench_zoo.losses import CrossEntropy


def targets(smoothing, labels, classes=4):
    loss = CrossEntropy(smoothing)
    images = torch.zeros(len(labels), 3, 2, 2)
    generator = torch.Generator()
    ids = tuple(range(len(labels)))
    batch = Batch(images, ids, labels)
    return loss.targets(batch, classes=classes, epoch=0, generator=generator)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_equals_the_slow_loop(smoothing):
    labels = torch.tensor([0, 3, 3])
    logits = torch.randn(3, 4, generator=torch.Generator().manual_seed(0)).double()
    total = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        normaliser = math.log(sum(math.exp(value) for value in row))
        for place, value in enumerate(row):
            mass = smoothing / 4 + (1 - smoothing if place == label else 0)
            total -= mass * (value - normaliser) / 3
    made = targets(smoothing, labels)
    made = made._replace(distribution=made.distribution.double())
    assert float(CrossEntropy(smoothing).score(logits, made)) == pytest.approx(total, 1e-6)


def test_targets_are_distributions():
    distribution = targets(0.2, torch.tensor([1, 2])).distribution
    assert torch.allclose(distribution.sum(dim=1), torch.ones(2))
    assert distribution.argmax(dim=1).tolist() == [1, 2]


@pytest.mark.parametrize("smoothing", [-0.1, 1.0])
def test_smoothing_lies_between_nothing_and_everything(smoothing):
    with pytest.raises(ValueError, match="needs 0 <= smoothing < 1"):
        CrossEntropy(smoothing)
