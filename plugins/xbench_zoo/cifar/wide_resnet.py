"""Wide residual networks for 32-pixel images."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from torch import nn

from xbench_zoo.cifar.classifier import CifarClassifier, blocks_of, initialised
from xbench_zoo.cifar.resnet_v2 import WIDTHS, PreActivatedResnet


@dataclass(frozen=True)
class CifarWideResnet(CifarClassifier):
    """WRN-depth-width of "Wide Residual Networks" (Zagoruyko and Komodakis, BMVC 2016).

    Pre-activation ResNets of basic blocks, `width` times as wide, with projections where channels
    are added.
    """

    name: ClassVar[str] = "cifar-wide-resnet"
    example: ClassVar = MappingProxyType({"depth": 10, "width": 1})

    depth: int = 28
    """6n + 4; 16, 22, 28 and 40 in the paper."""
    width: int = 10
    """By which the 16, 32 and 64 channels of the stages are multiplied."""

    def __post_init__(self) -> None:
        """Check the values."""
        self._blocks()
        if self.width < 1:
            raise ValueError(f"{self.name}: width is {self.width}; it must be at least 1")

    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        widths = tuple(self.width * width for width in WIDTHS)
        return initialised(PreActivatedResnet(self._blocks(), widths, ("basic", "B"), classes))

    def _blocks(self) -> int:
        return blocks_of(self.name, self.depth, 2, beside=4)
