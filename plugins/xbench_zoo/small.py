"""A small network that trains in a minute."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from xbench_zoo.own_networks import SmallNetwork


@dataclass(frozen=True)
class SmallCnn(SmallNetwork):
    """Five convolutions, global average pooling and a linear layer.

    96-pixel images become 12×12 maps. `widths` are the channels of the convolutions.
    """

    name: ClassVar[str] = "small-cnn"

    widths: tuple[int, int, int, int, int] = (16, 32, 48, 96, 96)

    def __post_init__(self) -> None:
        """Check the values."""
        if min(self.widths) < 1:
            raise ValueError(f"widths are {self.widths}; every layer needs at least one channel")

    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        first, second, third, fourth, fifth = self.widths
        layers = {
            "stage1": _stage(3, first, size=5, stride=2),
            "stage2": _stage(first, second, stride=2),
            "stage3": _stage(second, third),
            "halve": nn.MaxPool2d(2),
            "stage4": _stage(third, fourth),
            "stage5": _stage(fourth, fifth),
            "average": nn.AdaptiveAvgPool2d(1),
            "flat": nn.Flatten(),
            "head": nn.Linear(fifth, classes),
        }
        return nn.Sequential(OrderedDict(layers))


def _stage(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    layers = {"conv": convolution, "norm": nn.BatchNorm2d(outputs), "relu": nn.ReLU()}
    return nn.Sequential(OrderedDict(layers))
