"""What networks for 32-pixel images have in common."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from torch import Tensor, nn
from torch.nn import functional

from xbench import Normalisation
from xbench_zoo.own_networks import OwnNetwork


@dataclass(frozen=True, kw_only=True)
class CifarClassifier(OwnNetwork):
    """A network for 32-pixel images."""

    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    """Subtracted from images; a file's weights want those that they were trained with."""
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    """What images are then divided by."""

    @final
    def normalisation(self) -> Normalisation:
        """`mean` and `std`."""
        return Normalisation(self.mean, self.std)

    @final
    def input_size(self) -> int:
        """32 pixels."""
        return 32


class PaddedIdentity(nn.Module):
    """Option A of He et al. (2016a): every `stride`-th pixel, and zeros for the new channels.

    The zeros are put on both sides of the old channels, equally many.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        before = (outputs - inputs) // 2
        self.channels = (before, outputs - inputs - before)

    def forward(self, activations: Tensor) -> Tensor:
        """The maps, thinned out, with more channels."""
        thinned = activations[:, :, :: self.stride, :: self.stride]
        return functional.pad(thinned, (0, 0, 0, 0, *self.channels))


class LayeredNetwork(nn.Module):
    """What comes first, layers in a row, what comes last; then the mean of maps decides."""

    def __init__(
        self, first: nn.Module, layers: Iterable[nn.Module], last: nn.Module, head: nn.Linear
    ) -> None:
        super().__init__()
        self.first, self.layers, self.last = first, nn.Sequential(*layers), last
        self.average = nn.AdaptiveAvgPool2d(1)
        self.flat = nn.Flatten()
        self.linear = head

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        maps = self.last(self.layers(self.first(images)))
        return self.linear(self.flat(self.average(maps)))


def convolution(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the size of maps, but for the stride, and has no bias."""
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


def normalised(layer: nn.Module, channels: int) -> nn.Sequential:
    """A layer that makes `channels` maps, and batch norm."""
    return nn.Sequential(layer, nn.BatchNorm2d(channels))


def activated(channels: int, *layers: nn.Module) -> tuple[nn.Module, ...]:
    """Batch norm and ReLU of `channels` maps, and the layers that follow."""
    return nn.BatchNorm2d(channels), nn.ReLU(), *layers


def initialised(module: nn.Module) -> nn.Module:
    """The module; the weights of its convolutions are drawn as He et al. (2015) say."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return module


def blocks_of(name: str, depth: int, layers: int, beside: int = 2) -> int:
    """n, where depth = 3 n · layers + `beside`: how many blocks each of the three stages has."""
    if depth < 3 * layers + beside or (depth - beside) % (3 * layers):
        near = max(1, round((depth - beside) / (3 * layers))) * 3 * layers + beside
        message = f"{name}: depth is {depth}; it must be {3 * layers}n + {beside}, such as {near}"
        raise ValueError(message)
    return (depth - beside) // (3 * layers)
