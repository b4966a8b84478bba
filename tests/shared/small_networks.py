"""Classifiers and modules that are small enough for tests."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from xbench import Classifier, Network, Normalisation, Readout
from xbench.networks import cut_module

SIDE = 20


@dataclass(frozen=True)
class Small(Classifier):
    """A classifier of `side` × `side` pixels that takes images as they are."""

    name: ClassVar[str] = "small"
    side: ClassVar[int] = 8

    def normalisation(self) -> Normalisation:
        return Normalisation()

    def input_size(self) -> int:
        return self.side


@dataclass(frozen=True)
class Linear(Small):
    """The smallest network that can be cut."""

    name: ClassVar[str] = "linear"

    def module(self, classes: int) -> nn.Module:
        pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, classes))
        return nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), *pooled)


@dataclass(frozen=True)
class Tiny(Small):
    """Batch norm and dropout: statistics and randomness that a resumed training must restore."""

    name: ClassVar[str] = "tiny"
    side: ClassVar[int] = 12

    blocks: int = 1
    dropout: float = 0.3

    def module(self, classes: int) -> nn.Module:
        widths = (3, 6, 8)[: self.blocks + 1]
        blocks = (
            nn.Sequential(nn.Conv2d(below, above, 3, padding=1), nn.BatchNorm2d(above), nn.ReLU())
            for below, above in itertools.pairwise(widths)
        )
        pooled = (nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Dropout(self.dropout))
        return nn.Sequential(*blocks, *pooled, nn.Linear(9 * widths[-1], classes))


def small_module(classes: int, *, norm: bool, hidden: int = 0) -> nn.Sequential:
    """Two convolutions, then pooling and a head: 8×10×10 activations at 20 pixels."""
    head = (nn.Linear(200, hidden), nn.ReLU()) if hidden else ()
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        *((nn.BatchNorm2d(6),) if norm else ()),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(5),
        nn.Flatten(),
        *head,
        nn.Linear(hidden or 200, classes),
    )


def small_network(
    module: Callable[[], nn.Sequential], seed: int, std: float, **cut: Any
) -> Network:
    """A module with random weights, those of its last layer of so large a deviation; then cut."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = module()
        nn.init.normal_(made[-1].weight, std=std)
    return cut_module(made.eval(), classes=made[-1].out_features, size=SIDE, **cut)


class Calls(nn.Module):
    """A module that calls a function of its input and one constant."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.register_buffer("constant", torch.rand(4))

    def forward(self, values: Tensor) -> Tensor:
        return self.function(values, self.constant)


class Whole(nn.Module):
    """A readout as one module, as captum wants it."""

    def __init__(self, readout: Readout) -> None:
        super().__init__()
        self.bottom, self.top, self.link = readout.bottom, readout.top, readout.link

    def forward(self, images: Tensor) -> Tensor:
        return self.link(self.top(self.bottom(images)))
