"""A small residual network."""

from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from torch import Tensor, nn

from xbench_zoo.own_networks import SmallNetwork


@dataclass(frozen=True)
class SmallResnet(SmallNetwork):
    """A convolution, three basic blocks, global average pooling and a linear layer.

    96-pixel images become 12×12 maps. `widths` are the channels of the first convolution
    and of each block; the second block halves the maps.
    """

    name: ClassVar[str] = "small-resnet"

    widths: tuple[int, int, int, int] = (24, 32, 64, 96)

    def __post_init__(self) -> None:
        """Check the values."""
        if min(self.widths) < 1:
            raise ValueError(f"widths are {self.widths}; every layer needs at least one channel")

    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        first, *_, last = self.widths
        layers = {
            "conv": nn.Conv2d(3, first, 5, stride=2, padding=2, bias=False),
            "norm": nn.BatchNorm2d(first),
            "relu": nn.ReLU(),
            "halve": nn.MaxPool2d(2),
            **{
                f"block{place}": BasicBlock(inputs, outputs, stride=2 if place == 2 else 1)
                for place, (inputs, outputs) in enumerate(pairwise(self.widths), start=1)
            },
            "average": nn.AdaptiveAvgPool2d(1),
            "flat": nn.Flatten(),
            "head": nn.Linear(last, classes),
        }
        return nn.Sequential(OrderedDict(layers))


class BasicBlock(nn.Module):
    """relu(x' + norm(conv(relu(norm(conv(x)))))), x' being x or, of another shape, a projection."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs or stride != 1:
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(outputs))

    def forward(self, images: Tensor) -> Tensor:
        """Maps of the block's number of channels, `stride` times smaller."""
        residual = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(images)))))
        return self.relu2(residual + self.shortcut(images))
