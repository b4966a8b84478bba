"""Residual networks for 32-pixel images."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn

from xbench_zoo.cifar.classifier import (
    CifarClassifier,
    PaddedIdentity,
    blocks_of,
    convolution,
    initialised,
)

WIDTHS = (16, 32, 64)


@dataclass(frozen=True)
class CifarResnet(CifarClassifier):
    """ResNets for 32-pixel images: section 4.2 of "Deep Residual Learning" (CVPR 2016).

    A convolution, three stages of n blocks with 16, 32 and 64 channels on maps of 32, 16 and
    8 pixels, global average pooling and a linear layer: 6n + 2 layers. Parameters have the
    names that checkpoints of these networks use (`conv1`, `layer1.0.bn1`, …, `linear`).
    """

    name: ClassVar[str] = "cifar-resnet"

    depth: int = 20
    """6n + 2; 20, 32, 44, 56 and 110 in the paper."""
    shortcut: Literal["A", "B"] = "A"
    """Where channels are added, A pads with zeros and B projects with a 1×1 convolution."""

    def __post_init__(self) -> None:
        """Check the depth."""
        blocks_of(self.name, self.depth, 2)

    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        return initialised(Resnet(blocks_of(self.name, self.depth, 2), self.shortcut, classes))


class Resnet(nn.Module):
    """Three stages of `blocks` blocks."""

    def __init__(self, blocks: int, shortcut: str, classes: int) -> None:
        super().__init__()
        self.conv1 = convolution(3, WIDTHS[0])
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.relu = nn.ReLU()
        self.layer1 = _stage(WIDTHS[0], WIDTHS[0], blocks, shortcut)
        self.layer2 = _stage(WIDTHS[0], WIDTHS[1], blocks, shortcut)
        self.layer3 = _stage(WIDTHS[1], WIDTHS[2], blocks, shortcut)
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flat = nn.Flatten()
        self.linear = nn.Linear(WIDTHS[2], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        maps = self.relu(self.bn1(self.conv1(images)))
        maps = self.layer3(self.layer2(self.layer1(maps)))
        return self.linear(self.flat(self.average(maps)))


class Block(nn.Module):
    """relu(x' + bn(conv(relu(bn(conv(x)))))), x' being x or, of another shape, its shortcut."""

    def __init__(self, inputs: int, outputs: int, shortcut: str) -> None:
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.conv1 = convolution(inputs, outputs, stride=stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = convolution(outputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs and shortcut == "A":
            self.shortcut = PaddedIdentity(inputs, outputs, stride)
        elif inputs != outputs:
            projection = convolution(inputs, outputs, size=1, stride=stride)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(outputs))
        self.relu2 = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the block's number of channels; half as large where that number is new."""
        residual = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(maps)))))
        return self.relu2(residual + self.shortcut(maps))


def _stage(inputs: int, outputs: int, blocks: int, shortcut: str) -> nn.Sequential:
    first = Block(inputs, outputs, shortcut)
    return nn.Sequential(first, *(Block(outputs, outputs, shortcut) for _ in range(blocks - 1)))
