"""Shake-Shake for 32-pixel images."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
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
class CifarShakeShake(CifarClassifier):
    """Shake-Shake-depth, 2 × width d, of "Shake-Shake regularization" (Gastaldi 2017).

    Residual networks with two branches. In a training forward passes mix them by a share that is
    drawn anew for each image, backward passes by another one; afterwards they count alike. The
    draws come from torch's generator, as those of dropout do.
    """

    name: ClassVar[str] = "cifar-shake-shake"
    example: ClassVar = MappingProxyType({"depth": 8, "width": 8})

    depth: int = 26
    """6n + 2."""
    width: int = 64
    """Channels of a branch in the first stage; twice as many in each further one."""

    def __post_init__(self) -> None:
        """Check the values."""
        blocks_of(self.name, self.depth, 2)
        if self.width < 2 or self.width % 2:
            raise ValueError(f"{self.name}: width is {self.width}; it must be even")

    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        blocks = blocks_of(self.name, self.depth, 2)
        first = normalised(convolution(3, FIRST), FIRST)
        head = nn.Linear(self.width * 2 ** (STAGES - 1), classes)
        return initialised(LayeredNetwork(first, _layers(blocks, self.width), nn.ReLU(), head))


def _layers(blocks: int, width: int) -> Iterator[nn.Module]:
    """Three stages of `blocks` blocks."""
    inputs = FIRST
    for stage in range(STAGES):
        outputs = width * 2**stage
        for place in range(blocks):
            yield ShakenBlock(inputs, outputs, 2 if stage and not place else 1)
            inputs = outputs


class ShakenBlock(nn.Module):
    """x' + a mixture of two branches, each relu, conv, bn, relu, conv, bn."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = (_branch(inputs, outputs, stride) for _ in range(2))
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs:
            self.shortcut = ShiftedShortcut(inputs, outputs, stride)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps of the block's number of channels; half as large where a later stage begins."""
        first, second = self.first(maps), self.second(maps)
        mixed = mixture(first, second) if self.training else (first + second) / 2
        return self.shortcut(maps) + mixed


class ShiftedShortcut(nn.Module):
    """Half of the channels from every `stride`-th pixel, half from those one pixel further on."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.relu = nn.ReLU()
        self.here, self.further = (convolution(inputs, outputs // 2, size=1) for _ in range(2))
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, maps: Tensor) -> Tensor:
        """The maps, thinned out, with the new number of channels."""
        activated = self.relu(maps)
        moved = functional.pad(activated[:, :, 1:, 1:], (0, 1, 0, 1))
        thinned = (of[:, :, :: self.stride, :: self.stride] for of in (activated, moved))
        here, further = thinned
        return self.bn(torch.cat([self.here(here), self.further(further)], 1))


def mixture(first: Tensor, second: Tensor) -> Tensor:
    """α · first + (1 − α) · second, with the gradient of another share β; one of each an image."""
    shape = (len(first), 1, 1, 1)
    forward, backward = (torch.rand(shape, device=first.device, dtype=first.dtype) for _ in "αβ")
    differentiated = backward * first + (1 - backward) * second
    return differentiated + ((forward - backward) * (first - second)).detach()


def _branch(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.ReLU(), convolution(inputs, outputs, stride=stride), *activated(outputs)),
        *normalised(convolution(outputs, outputs), outputs),
    )
