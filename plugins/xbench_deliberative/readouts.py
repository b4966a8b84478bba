"""Links from logits to predictions, and a top that is evaluated once and shared."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from xbench import Link


@dataclass(frozen=True, eq=False)
class ClassProbabilities:
    """Softmax probabilities of a list of classes for each image, in double precision."""

    classes: Int64[Tensor, "n listed"]

    def __call__(self, logits: Float[Tensor, "n classes"]) -> Float[Tensor, "n listed"]:
        """f_y(x) for the listed classes y of each image."""
        return logits.double().softmax(1).gather(1, self.classes)


@dataclass(frozen=True, eq=False)
class ClassLogits:
    """Logits of a list of classes for each image."""

    classes: Int64[Tensor, "n listed"]

    def __call__(self, logits: Float[Tensor, "n classes"]) -> Float[Tensor, "n listed"]:
        """z_y(x) for the listed classes y of each image."""
        return logits.double().gather(1, self.classes)


@dataclass(frozen=True, eq=False)
class Joined:
    """The predictions of several links, one after the other."""

    links: tuple[Link, ...]

    def __call__(self, logits: Float[Tensor, "n logits"]) -> Float[Tensor, "n predictions"]:
        """All links' predictions from the same logits."""
        return torch.cat([link(logits) for link in self.links], dim=1)


def hesitancy(logits: Float[Tensor, "n classes"]) -> Float[Tensor, "n 1"]:
    """1 − max_y f_y(x), eq. (3), in double precision."""
    return 1 - logits.double().softmax(1).amax(1, keepdim=True)


def normalised_entropy(logits: Float[Tensor, "n classes"]) -> Float[Tensor, "n 1"]:
    """−Σ f_y log f_y / log C, eq. (4), in double precision; 0 where there is one class."""
    logs = logits.double().log_softmax(1)
    entropy = -(logs.exp() * logs).sum(1, keepdim=True)
    return entropy / math.log(max(logits.shape[1], 2))


def reads_probabilities(link: Link) -> bool:
    """Whether all predictions are known to be softmax probabilities, or their entropy."""
    if isinstance(link, Joined):
        return all(map(reads_probabilities, link.links))
    return isinstance(link, ClassProbabilities) or link in (hesitancy, normalised_entropy)


def listed_classes(link: Link, logits: Float[Tensor, "n classes"]) -> Bool[Tensor, "n classes"]:
    """The classes that the link has a prediction of its own for."""
    listed = torch.zeros_like(logits, dtype=torch.bool)
    if isinstance(link, Joined):
        for one in link.links:
            listed |= listed_classes(one, logits)
    if isinstance(link, ClassProbabilities):
        listed.scatter_(1, link.classes, True)
    return listed


class EvaluatedTop(nn.Module):
    """A top whose value at `point` was computed once, with gradient, and is used again there.

    Attributions that evaluate it at `point` share one forward pass; at any other
    activations it computes as usual.
    """

    def __init__(self, top: nn.Module, activations: Float[Tensor, "n d h w"]) -> None:
        super().__init__()
        self.top = top
        self.point = activations.detach().requires_grad_()
        with torch.enable_grad():
            self.logits: Float[Tensor, "n logits"] = top(self.point)

    def forward(self, activations: Float[Tensor, "n d h w"]) -> Float[Tensor, "n logits"]:
        """The logits at these activations."""
        return self.logits if activations is self.point else self.top(activations)
