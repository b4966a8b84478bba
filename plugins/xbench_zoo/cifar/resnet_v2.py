"""Residual networks for 32-pixel images that normalise before they convolve."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

from torch import Tensor, nn

from xbench_zoo.cifar.classifier import (
    CifarClassifier,
    PaddedIdentity,
    activated,
    blocks_of,
    convolution,
    initialised,
)

FIRST = 16
WIDTHS = (16, 32, 64)
_EXPANSION = 4
_LAYERS = {"basic": 2, "bottleneck": 3}


@dataclass(frozen=True)
class CifarResnetV2(CifarClassifier):
    """Pre-activation ResNets for images of 32 pixels (He et al., ECCV 2016).

    They are those of "Identity Mappings in Deep Residual Networks". A convolution, three stages
    of n blocks, batch norm and ReLU, global average pooling and a linear layer. Basic blocks
    have 16, 32 and 64 channels and make 6n + 2 layers, bottlenecks have four times as many and
    make 9n + 2. Where the number of channels changes, and in the first block, the first
    activation comes before the shortcut branches off.
    """

    name: ClassVar[str] = "cifar-resnet-v2"

    depth: int = 110
    """6n + 2 with basic blocks, 9n + 2 with bottlenecks; 110, 164 and 1001 in the paper."""
    block: Literal["basic", "bottleneck"] = "basic"
    """Two 3×3 convolutions, or a 3×3 one between two 1×1 ones."""
    shortcut: Literal["A", "B"] = "B"
    """Where channels are added, A pads with zeros and B projects with a 1×1 convolution."""

    def __post_init__(self) -> None:
        """Check the depth."""
        self._blocks()

    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        kinds = (self.block, self.shortcut)
        return initialised(PreActivatedResnet(self._blocks(), WIDTHS, kinds, classes))

    def _blocks(self) -> int:
        name = f"{self.name} with {self.block} blocks"
        return blocks_of(name, self.depth, _LAYERS[self.block])


class PreActivatedResnet(nn.Module):
    """Three stages of `blocks` blocks, and an activation after them.

    `widths` are those of the stages, but for bottlenecks, which end four times as wide; `kinds`
    are those of blocks and shortcuts.
    """

    def __init__(
        self, blocks: int, widths: tuple[int, ...], kinds: tuple[str, str], classes: int
    ) -> None:
        super().__init__()
        expansion = _EXPANSION if kinds[0] == "bottleneck" else 1
        widths = (FIRST, *(width * expansion for width in widths))
        self.conv1 = convolution(3, FIRST)
        self.layer1, self.layer2, self.layer3 = (
            _stage(inputs, outputs, place, blocks, kinds)
            for place, (inputs, outputs) in enumerate(pairwise(widths), start=1)
        )
        self.bn = nn.BatchNorm2d(widths[-1])
        self.relu = nn.ReLU()
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flat = nn.Flatten()
        self.linear = nn.Linear(widths[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        maps = self.layer3(self.layer2(self.layer1(self.conv1(images))))
        return self.linear(self.flat(self.average(self.relu(self.bn(maps)))))


class PreActivatedBlock(nn.Module):
    """x' + a residual whose every convolution follows batch norm and ReLU.

    `stage` is the number of the stage that the block opens, 0 for none. A block that opens
    one takes x' after the first activation, through the shortcut where channels are added.
    """

    def __init__(
        self, inputs: int, outputs: int, stage: int, block: str, shortcut: str = "A"
    ) -> None:
        super().__init__()
        stride = 2 if stage > 1 else 1
        self.shared = stage > 0
        self.bn1 = nn.BatchNorm2d(inputs)
        self.relu1 = nn.ReLU()
        self.residual = nn.Sequential(*_residual(inputs, outputs, stride, block))
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs and shortcut == "A":
            self.shortcut = PaddedIdentity(inputs, outputs, stride)
        elif inputs != outputs:
            self.shortcut = convolution(inputs, outputs, size=1, stride=stride)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the block's number of channels; half as large where a later stage begins."""
        activated = self.relu1(self.bn1(maps))
        inputs = activated if self.shared else maps
        return self.shortcut(inputs) + self.residual(activated)


def _stage(
    inputs: int, outputs: int, place: int, blocks: int, kinds: tuple[str, str]
) -> nn.Sequential:
    """A stage; `kinds` are those of its blocks and of its shortcut."""
    block, _ = kinds
    first = PreActivatedBlock(inputs, outputs, place, *kinds)
    later = (PreActivatedBlock(outputs, outputs, 0, block) for _ in range(blocks - 1))
    return nn.Sequential(first, *later)


def _residual(inputs: int, outputs: int, stride: int, block: str) -> list[nn.Module]:
    """What follows the first activation of a block."""
    if block == "basic":
        return [
            convolution(inputs, outputs, stride=stride),
            *activated(outputs, convolution(outputs, outputs)),
        ]
    narrow = outputs // _EXPANSION
    return [
        convolution(inputs, narrow, size=1),
        *activated(narrow, convolution(narrow, narrow, stride=stride)),
        *activated(narrow, convolution(narrow, outputs, size=1)),
    ]
