"""VGG for 32-pixel images."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from xbench_zoo.cifar.classifier import CifarClassifier, initialised

WIDTHS = (64, 128, 256, 512, 512)
CONVOLUTIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    15: (2, 2, 3, 3, 3),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


@dataclass(frozen=True)
class CifarVgg(CifarClassifier):
    """VGG with batch norm (Simonyan and Zisserman, 2015), its head made for 32-pixel images.

    The five stages are the original ones. Their last pooling leaves one cell with 512 values,
    so hidden layers of 512 outputs take the place of those of 4 096: two, or one where the
    depth is 15. Names of layers are those of torchvision's VGG.
    """

    name: ClassVar[str] = "cifar-vgg"

    depth: int = 16
    """Convolutions and linear layers together: 11, 13, 15, 16 or 19."""
    dropout: float = 0.5
    """Share of the hidden outputs that training leaves out."""

    def __post_init__(self) -> None:
        """Check the values."""
        if self.depth not in CONVOLUTIONS:
            raise ValueError(f"depth is {self.depth}; VGG has {', '.join(map(str, CONVOLUTIONS))}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}; it needs 0 <= dropout < 1")

    def network(self, classes: int) -> nn.Module:
        """A new network with random weights."""
        return initialised(Vgg(self.depth, self.dropout, classes))


class Vgg(nn.Sequential):
    """`features` and `classifier`."""

    def __init__(self, depth: int, dropout: float, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*_features(CONVOLUTIONS[depth]))
        self.average = nn.AdaptiveAvgPool2d(1)  # for images that are larger
        self.flat = nn.Flatten()
        hidden = depth - sum(CONVOLUTIONS[depth]) - 1
        self.classifier = nn.Sequential(*_head(hidden, dropout, classes))


def _features(convolutions: tuple[int, ...]) -> Iterator[nn.Module]:
    inputs = 3
    for width, count in zip(WIDTHS, convolutions, strict=True):
        for _ in range(count):
            yield nn.Conv2d(inputs, width, 3, padding=1)
            yield nn.BatchNorm2d(width)
            yield nn.ReLU()
            inputs = width
        yield nn.MaxPool2d(2)


def _head(hidden: int, dropout: float, classes: int) -> Iterator[nn.Module]:
    for _ in range(hidden):
        yield nn.Linear(WIDTHS[-1], WIDTHS[-1])
        yield nn.ReLU()
        yield nn.Dropout(dropout)
    yield nn.Linear(WIDTHS[-1], classes)
