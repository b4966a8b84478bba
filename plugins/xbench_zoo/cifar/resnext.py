"""ResNeXt for 32-pixel images."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from torch import Tensor, nn

from xbench_zoo.cifar.classifier import (
    CifarClassifier,
    LayeredNetwork,
    activated,
    blocks_of,
    convolution,
    initialised,
    normalised,
)

FIRST = 64
_EXPANSION = 4
STAGES = 3


@dataclass(frozen=True)
class CifarResnext(CifarClassifier):
    """ResNeXt-depth, groups × width d, of Xie et al. (CVPR 2017), section 5.3.

    A convolution of 64 channels, three stages of n bottlenecks that end with 256, 512 and 1 024
    channels, global average pooling and a linear layer. The 3×3 convolution of a bottleneck is
    in `groups` groups, each `width` channels wide in the first stage, and twice as wide in each
    further one.
    """

    name: ClassVar[str] = "cifar-resnext"
    example: ClassVar = MappingProxyType({"depth": 11, "groups": 2, "width": 4})

    depth: int = 29
    """9n + 2."""
    groups: int = 8
    """The paper's cardinality; 8 or 16."""
    width: int = 64

    def __post_init__(self) -> None:
        """Check the values."""
        blocks_of(self.name, self.depth, 3)
        if self.groups < 1 or self.width < 1:
            raise ValueError(f"{self.name}: groups and width must be at least 1")

    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        blocks = blocks_of(self.name, self.depth, 3)
        first = nn.Sequential(convolution(3, FIRST), *activated(FIRST))
        layers = _layers(blocks, self.groups, self.width)
        head = nn.Linear(FIRST * _EXPANSION * 2 ** (STAGES - 1), classes)
        return initialised(LayeredNetwork(first, layers, nn.Identity(), head))


def _layers(blocks: int, groups: int, width: int) -> Iterator[nn.Module]:
    """Three stages of `blocks` bottlenecks."""
    inputs = FIRST
    for stage in range(STAGES):
        outputs, inner = FIRST * _EXPANSION * 2**stage, groups * width * 2**stage
        for place in range(blocks):
            stride = 2 if stage and not place else 1
            yield GroupedBlock(inputs, inner, outputs, groups, stride)
            inputs = outputs


class GroupedBlock(nn.Module):
    """relu(x' + residual): 1×1, grouped 3×3 and 1×1 convolutions, each with batch norm."""

    def __init__(self, inputs: int, inner: int, outputs: int, groups: int, stride: int) -> None:
        super().__init__()
        grouped = nn.Conv2d(inner, inner, 3, stride, padding=1, groups=groups, bias=False)
        self.residual = nn.Sequential(
            *(convolution(inputs, inner, size=1), *activated(inner)),
            *(grouped, *activated(inner)),
            *normalised(convolution(inner, outputs, size=1), outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs:
            projection = convolution(inputs, outputs, size=1, stride=stride)
            self.shortcut = normalised(projection, outputs)
        self.relu = nn.ReLU()

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the block's number of channels; half as large where a later stage begins."""
        return self.relu(self.shortcut(maps) + self.residual(maps))
