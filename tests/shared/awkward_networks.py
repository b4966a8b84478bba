"""Networks as people bring them: each function takes a number of classes, for 16-pixel images."""

import warnings

import torch
import torch.utils.checkpoint
from torch import Tensor, nn

SIDE = 16


def plain(classes: int, channels: int = 3) -> nn.Sequential:
    """Two convolutions and a linear head."""
    return nn.Sequential(
        nn.Conv2d(channels, 8, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(12, classes),
    )


def lazy(classes: int) -> nn.Module:
    """Layers that do not know yet how wide they are."""
    convolution, head = nn.LazyConv2d(8, 3), nn.LazyLinear(classes)
    return nn.Sequential(convolution, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def grey(classes: int) -> nn.Module:
    """For images of one channel."""
    return plain(classes, channels=1)


class Wrapping(nn.Module):
    """A plain network, and something that is done with it."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.net = plain(classes)

    def forward(self, images: Tensor) -> object:
        return self.net(images)


class BatchNormalised(Wrapping):
    """What it makes of an image depends on the others."""

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images - images.mean(0, keepdim=True))


class Dictionary(Wrapping):
    """Returns a dictionary."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"features": images, "logits": self.net(images)}


class Pair(Wrapping):
    """Returns a tuple."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images, self.net(images)


class Probabilities(Wrapping):
    """Takes a softmax itself."""

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images).softmax(1)


class ExtraArgument(Wrapping):
    """Wants to be told more than images."""

    def forward(self, images: Tensor, ages: Tensor) -> Tensor:
        return self.net(images) + ages[:, None]


class Branching(Wrapping):
    """What it computes depends on values."""

    def forward(self, images: Tensor) -> Tensor:
        made = self.net(images)
        return made if made.sum() > 0 else 2 * made


class GroupReadout(nn.Module):
    """Its logits are sums over groups of a wide layer's; an inner layer has as many outputs."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(3, classes, 3), nn.ReLU())
        self.last = nn.Sequential(nn.Conv2d(classes, 12, 3), nn.ReLU())
        self.wide = nn.Linear(12, 6 * classes)
        self.register_buffer("groups", torch.arange(6 * classes) % classes)

    def forward(self, images: Tensor) -> Tensor:
        wide = self.wide(self.last(self.inner(images)).mean((2, 3))).log_softmax(1)
        empty = torch.zeros(len(wide), self.inner[0].out_channels).to(wide)
        return empty.index_add(1, self.groups, wide)


class TwoHeads(nn.Module):
    """The mean of two heads."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*list(plain(classes))[:-1])
        self.one, self.other = nn.Linear(12, classes), nn.Linear(12, classes)

    def forward(self, images: Tensor) -> Tensor:
        made = self.body(images)
        return (self.one(made) + self.other(made)) / 2


class DeepHead(nn.Module):
    """A head of three layers, all as wide as there are classes."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*list(plain(classes))[:-1])
        self.head = nn.Sequential(
            nn.Linear(12, classes), nn.ReLU(), nn.Linear(classes, classes), nn.ReLU(),
            nn.Linear(classes, classes),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(images))


class Fully(nn.Module):
    """Convolutions alone: pooled, and a ReLU, after the one that makes class maps."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
        self.classifier = nn.Sequential(nn.Dropout(), nn.Conv2d(8, classes, 1), nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.body(images)).mean((2, 3))


class _Seven(torch.autograd.Function):
    @staticmethod
    def forward(context, values):
        return values.clone()

    @staticmethod
    def backward(context, gradient):
        return 7 * gradient


class Halved(nn.Module):
    """A plain network in two pieces."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers = list(plain(classes))
        self.first, self.rest = nn.Sequential(*layers[:2]), nn.Sequential(*layers[2:])


class OwnBackward(Halved):
    """Its gradient is not that of what it computes."""

    def forward(self, images: Tensor) -> Tensor:
        return self.rest(_Seven.apply(self.first(images)))


class WithoutGradients(Halved):
    """Part of what it computes has no gradient."""

    def forward(self, images: Tensor) -> Tensor:
        made = self.first(images)
        with torch.no_grad():
            scale = made.mean((1, 2, 3), keepdim=True)
        return self.rest(made * scale)


class Detached(Wrapping):
    """No gradient reaches its images, and everybody can see that."""

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images.detach())


class AddsInPlace(Halved):
    """Overwrites what it made."""

    def forward(self, images: Tensor) -> Tensor:
        made = self.first(images)
        made += 1
        made.mul_(2)
        return self.rest(made)


class AssignsItems(Halved):
    """Overwrites a part of what it made."""

    def forward(self, images: Tensor) -> Tensor:
        made = self.first(images)
        made[:, 0] = 2 * made[:, 1]
        return self.rest(made)


class UnpacksItsShape(Halved):
    """Asks for its sizes by name."""

    def forward(self, images: Tensor) -> Tensor:
        made = self.first(images)
        count, channels, height, width = made.shape
        flat = made.reshape(count, channels, height * width)
        return self.rest(flat.reshape(count, channels, height, width))


class AssertsItsSize(Halved):
    """Refuses images of other sizes."""

    def forward(self, images: Tensor) -> Tensor:
        assert images.shape[-1] == SIDE
        return self.rest(self.first(images))


class ChannelsLast(nn.Module):
    """Keeps the channels of its features last."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 16, 3, stride=2), nn.LayerNorm(16)
        self.head = nn.Linear(16, classes)

    def forward(self, images: Tensor) -> Tensor:
        made = torch.relu(self.norm(self.stem(images).permute(0, 2, 3, 1)))
        return self.head(made.mean((1, 2)))


class Autocast(Halved):
    """Switches to lower precision itself."""

    def forward(self, images: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            made = self.first(images)
        return self.rest(made.float())


class SharedWeights(nn.Module):
    """Uses one convolution twice."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.stem, self.again = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, classes)

    def forward(self, images: Tensor) -> Tensor:
        made = torch.relu(self.again(torch.relu(self.stem(images))))
        return self.head(torch.relu(self.again(made)).mean((2, 3)))


class Checkpointing(Halved):
    """Computes a part once more when gradients are asked for."""

    def forward(self, images: Tensor) -> Tensor:
        made = torch.utils.checkpoint.checkpoint(self.first, images, use_reentrant=False)
        return self.rest(made)


def spectral_norm(classes: int) -> nn.Module:
    """A layer whose weights are computed."""
    module = plain(classes)
    nn.utils.parametrizations.spectral_norm(module[3])
    return module


def compiled(classes: int) -> nn.Module:
    """Wrapped for compilation."""
    return torch.compile(plain(classes))


def scripted(classes: int) -> nn.Module:
    """A program of TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.trace(plain(classes).eval(), torch.rand(2, 3, SIDE, SIDE))


def quantised(classes: int) -> nn.Module:
    """With a linear layer in integers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(
            plain(classes).eval(), {nn.Linear}, dtype=torch.qint8
        )


def exported(classes: int) -> nn.Module:
    """An exported program, for any number of images."""
    batch = torch.export.Dim("batch", min=1, max=1024)
    program = torch.export.export(
        plain(classes).eval(), (torch.rand(2, 3, SIDE, SIDE),), dynamic_shapes=({0: batch},)
    )
    return program.module()
