"""A small network after the fashion of VGG: plain convolutions, then a perceptron as its head."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import nn

from xbench_zoo.own_networks import SmallNetwork

_CELLS = 9


@dataclass(frozen=True)
class SmallVgg(SmallNetwork):
    """Stages of 3×3 convolutions with maximum pooling between them, and a perceptron as head.

    `stages` are the channels of the convolutions of each stage, and images are halved after
    every stage but the last: with four of them 96-pixel images become 12×12 maps. These are
    pooled to 3×3 cells, which the hidden layers of the head tell apart.
    """

    name: ClassVar[str] = "small-vgg"

    stages: tuple[tuple[int, ...], ...] = ((16,), (24,), (48, 48), (96, 96))
    hidden: tuple[int, ...] = (128, 128)
    """Outputs of the head's hidden layers."""
    dropout: float = 0.2
    """Share of the hidden outputs that training leaves out."""

    def __post_init__(self) -> None:
        """Check the values."""
        widths = [*self.hidden, *(width for stage in self.stages for width in stage)]
        if not self.stages or not all(self.stages) or min(widths) < 1:
            message = f"stages are {self.stages}, hidden is {self.hidden}; every stage needs a "
            raise ValueError(message + "convolution, and every layer at least one channel")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}; it needs 0 <= dropout < 1")

    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        layers = {
            "features": nn.Sequential(OrderedDict(self._features())),
            "pool": nn.MaxPool2d(2),
            "cells": nn.AdaptiveAvgPool2d(3),
            "flat": nn.Flatten(),
            "classifier": nn.Sequential(OrderedDict(self._classifier(classes))),
        }
        return nn.Sequential(OrderedDict(layers))

    def _features(self) -> Iterator[tuple[str, nn.Module]]:
        inputs = (3, *(stage[-1] for stage in self.stages))
        for place, (width, stage) in enumerate(zip(inputs, self.stages, strict=False), start=1):
            if place > 1:
                yield f"pool{place - 1}", nn.MaxPool2d(2)
            yield f"stage{place}", nn.Sequential(OrderedDict(_convolutions((width, *stage))))

    def _classifier(self, classes: int) -> Iterator[tuple[str, nn.Module]]:
        widths = (self.stages[-1][-1] * _CELLS, *self.hidden)
        for place, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            yield f"linear{place}", nn.Linear(inputs, outputs, bias=False)
            yield f"norm{place}", nn.BatchNorm1d(outputs)
            yield f"relu{place}", nn.ReLU()
            yield f"dropout{place}", nn.Dropout(self.dropout)
        yield "head", nn.Linear(widths[-1], classes)


def _convolutions(widths: Sequence[int]) -> Iterator[tuple[str, nn.Module]]:
    for place, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        yield f"conv{place}", nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        yield f"norm{place}", nn.BatchNorm2d(outputs)
        yield f"relu{place}", nn.ReLU()
