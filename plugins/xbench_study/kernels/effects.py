"""How answers come about in a simulation: effects of the condition, of images and of people."""

import functools
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.special import expit, logit

POINTS = 41
"""At which effects are integrated over."""


class Effects(NamedTuple):
    """Accuracies of both conditions, and how far images and people vary.

    logit p = a_image + v_participant with v ~ N(0, `participant`²). `logit-normal`: a ~ N(μ,
    `image`²). `beta-binomial`: σ(a) has a beta distribution in which `image` is the correlation
    of two answers to one image. An image is equally easy, by rank, in both conditions.
    """

    accuracies: tuple[float, float]
    """Over all images and people, which are strictly between 0 and 1."""
    image: float
    participant: float
    family: Literal["logit-normal", "beta-binomial"] = "logit-normal"


def image_logits(
    effects: Effects, location: float, ranks: Float64[np.ndarray, " *shape"]
) -> Float64[np.ndarray, " *shape"]:
    """The logit of images whose ease has these ranks, from 0 to 1."""
    from scipy import stats

    if effects.family == "logit-normal" or not effects.image:
        return np.asarray(location + effects.image * stats.norm.ppf(ranks))
    mean, size = expit(location), 1 / effects.image - 1
    shares = stats.beta.ppf(ranks, mean * size, (1 - mean) * size)
    return np.asarray(logit(np.clip(shares, 1e-12, 1 - 1e-12)))


@functools.lru_cache(maxsize=64)
def locations(effects: Effects) -> tuple[float, float]:
    """Where each condition's images lie, so that its accuracy over all is the wanted one."""
    first, second = (_location(effects, accuracy) for accuracy in effects.accuracies)
    return first, second


def expected_accuracy(effects: Effects, location: float) -> float:
    """The mean over images and people."""
    ranks, weights = _uniform_nodes()
    images = image_logits(effects, location, ranks)
    nodes, masses = np.polynomial.hermite_e.hermegauss(POINTS)
    shares = expit(images[:, None] + effects.participant * nodes)
    return float(weights @ shares @ masses / masses.sum())


def _location(effects: Effects, accuracy: float) -> float:
    from scipy.optimize import brentq

    def beyond(location: float) -> float:
        return expected_accuracy(effects, location) - accuracy

    return float(brentq(beyond, -12, 12, xtol=1e-10))


@functools.cache
def _uniform_nodes() -> tuple[Float64[np.ndarray, " p"], Float64[np.ndarray, " p"]]:
    """Gauss and Legendre's nodes from 0 to 1 with their weights."""
    nodes, weights = np.polynomial.legendre.leggauss(8 * POINTS)
    return (nodes + 1) / 2, weights / 2
