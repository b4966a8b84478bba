"""DenseNet for 32-pixel images."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor, nn

from xbench_zoo.cifar.classifier import (
    CifarClassifier,
    LayeredNetwork,
    activated,
    blocks_of,
    convolution,
    initialised,
)

STAGES = 3


@dataclass(frozen=True)
class CifarDenseNet(CifarClassifier):
    """DenseNet-BC of "Densely Connected Convolutional Networks" (Huang et al., CVPR 2017).

    Three stages of n bottlenecks, each of which sees the maps of all before it and adds `growth`
    of its own; between stages a 1×1 convolution halves the channels and pooling the maps.
    """

    name: ClassVar[str] = "cifar-densenet"
    example: ClassVar = MappingProxyType({"depth": 10, "growth": 4})

    depth: int = 100
    """6n + 4; 100, 190 and 250 in the paper."""
    growth: int = 12
    """12, 40 and 24 there."""

    def __post_init__(self) -> None:
        """Check the values."""
        self._blocks()
        if self.growth < 1:
            raise ValueError(f"{self.name}: growth is {self.growth}; it must be at least 1")

    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        layers = list(_layers(self._blocks(), self.growth))
        channels = layers[-1].outputs
        last = nn.Sequential(*activated(channels))
        first, head = convolution(3, 2 * self.growth), nn.Linear(channels, classes)
        return initialised(LayeredNetwork(first, layers, last, head))

    def _blocks(self) -> int:
        return blocks_of(self.name, self.depth, 2, beside=4)


class DenseBlock(nn.Module):
    """The maps that it is given, and behind them `growth` new ones."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        inner, self.outputs = 4 * growth, inputs + growth
        self.new = nn.Sequential(
            *activated(inputs, convolution(inputs, inner, size=1)),
            *activated(inner, convolution(inner, growth)),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Old and new maps."""
        return torch.cat([maps, self.new(maps)], 1)


class Transition(nn.Sequential):
    """Half as many channels, on maps half as large."""

    def __init__(self, inputs: int) -> None:
        self.outputs = inputs // 2
        pointwise = convolution(inputs, self.outputs, size=1)
        super().__init__(*activated(inputs, pointwise, nn.AvgPool2d(2)))


def _layers(blocks: int, growth: int) -> Iterator[DenseBlock | Transition]:
    """Three stages of `blocks` bottlenecks, and what lies between them."""
    channels = 2 * growth
    for place in range(STAGES * blocks):
        if place and place % blocks == 0:
            yield Transition(channels)
            channels //= 2
        yield DenseBlock(channels, growth)
        channels += growth
