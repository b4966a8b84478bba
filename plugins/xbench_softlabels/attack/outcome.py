"""What attacks come to: losses, and whether the network stays right, image by image."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from xbench_softlabels.attack.networks import Attacked
from xbench_softlabels.attack.passes import Pass
from xbench_softlabels.attack.radii import share_of_range
from xbench_softlabels.kernels.attacks import (
    Ascent,
    Slope,
    Standing,
    climbed,
    sign_attacked,
    slope,
    standing,
)


class Strength(NamedTuple):
    """How strong the attacks are."""

    radii: Sequence[float]
    """Of FGSM, in 255ths."""
    climbed: Sequence[float]
    """Of PGD, in 255ths."""
    steps: int
    rate: float
    restarts: int


class Outcome(NamedTuple):
    """What the attacks on the images of a pass came to."""

    clean: Slope
    signs: Sequence[Standing]
    """Under FGSM, for each radius."""
    climbs: Sequence[Standing]
    """Under PGD, for each radius: the worst of all iterates of all restarts and of the image."""
    courses: Sequence[Float64[Tensor, "n iterates"]]
    """The losses along PGD for each radius, averaged over restarts."""


def attacked(answers: Attacked, images: Pass, strength: Strength, seed: int) -> Outcome:
    """All attacks on the images, each by one network or ensemble that the attacker knows."""
    clean = slope(answers, images.images, images.labels)
    signs = [_under_signs(answers, images, clean, radius) for radius in strength.radii]
    noise = list(images.noise(seed, strength.restarts))
    climbs = [_climbs(answers, images, radius, strength, noise) for radius in strength.climbed]
    worst = [_worst(clean.standing, losses, right) for losses, right in climbs]
    return Outcome(clean, signs, worst, [losses.mean(0) for losses, _ in climbs])


def _under_signs(answers: Attacked, images: Pass, clean: Slope, radius: float) -> Standing:
    found = sign_attacked(images.images, clean.gradients, share_of_range(radius))
    return standing(answers, found, images.labels)


def _climbs(
    answers: Attacked, images: Pass, radius: float, strength: Strength, noise: Sequence[Tensor]
) -> tuple[Float64[Tensor, "restarts n iterates"], Bool[Tensor, "restarts n"]]:
    """Losses of all iterates, and whether the network is right about all of a restart's."""
    ascent = Ascent(share_of_range(radius), strength.steps, strength.rate)
    runs = [climbed(answers, images.images, images.labels, ascent, start) for start in noise]
    return torch.stack([run.losses for run in runs]), torch.stack([run.right for run in runs])


def _worst(clean: Standing, losses: Tensor, right: Tensor) -> Standing:
    """The image itself lies in the ball, too: an attack never helps."""
    highest = losses.amax((0, 2)).maximum(clean.losses)
    return Standing(highest, right.all(0) & clean.right)
