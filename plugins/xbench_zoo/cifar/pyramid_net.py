"""PyramidNet for 32-pixel images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional

from xbench_zoo.cifar.classifier import (
    CifarClassifier,
    LayeredNetwork,
    activated,
    blocks_of,
    convolution,
    initialised,
    normalised,
)

FIRST = 16
STAGES = 3


@dataclass(frozen=True)
class CifarPyramidNet(CifarClassifier):
    """Additive PyramidNets of basic blocks: "Deep Pyramidal Residual Networks" (CVPR 2017).

    Of N blocks in three stages, block k has 16 + ⌊k · widening / N⌋ channels (equation 3).
    Residuals begin and end with batch norm, have no ReLU before their first convolution, and
    shortcuts pad with zeros.
    """

    name: ClassVar[str] = "cifar-pyramidnet"
    example: ClassVar = MappingProxyType({"depth": 8, "widening": 6})

    depth: int = 110
    """6n + 2."""
    widening: int = 270
    """The paper's α: by how many channels the last block is wider than the first convolution."""

    def __post_init__(self) -> None:
        """Check the values."""
        blocks_of(self.name, self.depth, 2)
        if self.widening < 0:
            raise ValueError(f"{self.name}: widening is {self.widening}; it cannot be negative")

    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        count = STAGES * blocks_of(self.name, self.depth, 2)
        widths = [FIRST + place * self.widening // count for place in range(count + 1)]
        first = normalised(convolution(3, FIRST), FIRST)
        last, head = nn.Sequential(*activated(widths[-1])), nn.Linear(widths[-1], classes)
        return initialised(LayeredNetwork(first, _layers(widths), last, head))


def _layers(widths: Sequence[int]) -> Iterator[nn.Module]:
    """Blocks that lead from each number of channels to the next, in three stages."""
    stage = (len(widths) - 1) // STAGES
    for place, (inputs, outputs) in enumerate(pairwise(widths)):
        yield PyramidBlock(inputs, outputs, 2 if place and place % stage == 0 else 1)


class PyramidBlock(nn.Module):
    """x' + bn(conv(relu(bn(conv(bn(x)))))), x' being x, pooled and with zeros behind it."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.BatchNorm2d(inputs),
            *(convolution(inputs, outputs, stride=stride), *activated(outputs)),
            *normalised(convolution(outputs, outputs), outputs),
        )
        self.pooled: nn.Module = nn.AvgPool2d(2) if stride > 1 else nn.Identity()
        self.new = outputs - inputs

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the block's number of channels; half as large where a later stage begins."""
        shortcut = functional.pad(self.pooled(maps), (0, 0, 0, 0, 0, self.new))
        return shortcut + self.residual(maps)
