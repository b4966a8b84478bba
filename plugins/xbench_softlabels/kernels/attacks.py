"""Attacks in ℓ∞: images near an image that a network takes for another class.

FGSM (Goodfellow et al. 2015) and PGD (Madry et al. 2018), on images in [0, 1] and against hard
labels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Bool, Float, Float32, Float64, Int64
from torch import Tensor

from xbench_softlabels.kernels.balls import ball
from xbench_softlabels.kernels.margins import hard_cross_entropies, other_margins

Answers: TypeAlias = Callable[[Tensor], Tensor]
"""The logits (n, classes) of images (n, 3, h, w), with gradients where these are enabled."""


class Standing(NamedTuple):
    """Where a network stands at images."""

    losses: Float64[Tensor, " n"]
    """Cross-entropies to the hard labels."""
    right: Bool[Tensor, " n"]
    """Whether it says the true class."""


class Slope(NamedTuple):
    """Where a network stands at images, and where its loss grows from there."""

    standing: Standing
    gradients: Float[Tensor, "n 3 h w"]
    """Of the margins: those of the cross-entropies but for a positive factor for each image."""
    saturated: Bool[Tensor, " n"]
    """Whether the cross-entropy is 0 in single precision: its own gradient there has lost the true
    class, or everything."""

    @property
    def flat(self) -> Bool[Tensor, " n"]:
        """Whether no pixel has a gradient, not even the margin's."""
        return (self.gradients == 0).flatten(1).all(1)


@dataclass(frozen=True)
class Ascent:
    """How far, and in how many steps, projected gradient ascent goes; on images in [0, 1]."""

    radius: float
    steps: int
    rate: float = 2.5
    """The length of a step is this times the radius, divided by the number of steps."""

    @property
    def length(self) -> float:
        """Of a step."""
        return self.rate * self.radius / self.steps


class Climb(NamedTuple):
    """What one ascent came to, from the best of all its iterates, its start included."""

    images: Float32[Tensor, "n 3 h w"]
    """The iterates of the highest loss."""
    losses: Float64[Tensor, "n iterates"]
    """Of each iterate, that at the start first."""
    right: Bool[Tensor, " n"]
    """Whether the network is right about every iterate."""


def standing(
    answers: Answers, images: Float32[Tensor, "n 3 h w"], labels: Int64[Tensor, " n"]
) -> Standing:
    """Where the network stands at the images, by one pass forwards."""
    with torch.no_grad():
        return _standing(answers(images), labels)


def slope(
    answers: Answers, images: Float32[Tensor, "n 3 h w"], labels: Int64[Tensor, " n"]
) -> Slope:
    """Where the network stands at the images and its loss grows, by a pass forwards and back."""
    pixels = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        logits = answers(pixels)
        (gradients,) = torch.autograd.grad(other_margins(logits, labels).sum(), pixels)
    logits = logits.detach()
    own = logits.float().softmax(1).gather(1, labels[:, None])[:, 0]
    return Slope(_standing(logits, labels), gradients, own == 1)


def _standing(logits: Float[Tensor, "n classes"], labels: Int64[Tensor, " n"]) -> Standing:
    losses = hard_cross_entropies(other_margins(logits, labels))
    return Standing(losses, logits.argmax(1) == labels)


def sign_attacked(
    images: Float32[Tensor, "n 3 h w"], gradients: Float[Tensor, "n 3 h w"], radius: float
) -> Float32[Tensor, "n 3 h w"]:
    """FGSM: x + ε · sign of the gradient, in [0, 1]. No gradient is too small to count."""
    return ball(images, radius).corners(images, gradients)


def climbed(
    answers: Answers,
    images: Float32[Tensor, "n 3 h w"],
    labels: Int64[Tensor, " n"],
    ascent: Ascent,
    noise: Float32[Tensor, "n 3 h w"],
) -> Climb:
    """PGD from one start: steps along the gradient's sign, each projected back into the ball.

    The start is x + ε (2 · noise − 1), projected; noise lies in [0, 1).
    """
    strongest, highest = images, torch.full(labels.shape, -torch.inf, device=labels.device)
    losses, right = list[Tensor](), torch.ones_like(labels, dtype=torch.bool)
    for iterates, at in _path(answers, images, labels, ascent, noise):
        higher = at.losses > highest
        strongest = torch.where(higher[:, None, None, None], iterates, strongest)
        highest, right = torch.where(higher, at.losses, highest), right & at.right
        losses.append(at.losses)
    return Climb(strongest, torch.stack(losses, 1), right)


def _path(
    answers: Answers, images: Tensor, labels: Tensor, ascent: Ascent, noise: Tensor
) -> Iterator[tuple[Tensor, Standing]]:
    """The iterates, the start first."""
    space = ball(images, ascent.radius)
    iterates = space.nearest(images + ascent.radius * (2 * noise - 1))
    for _ in range(ascent.steps):
        here = slope(answers, iterates, labels)
        yield iterates, here.standing
        iterates = space.nearest(iterates + ascent.length * here.gradients.sign())
    yield iterates, standing(answers, iterates, labels)
