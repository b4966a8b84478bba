"""Power by simulation: how often the papers' t tests find a difference that is there."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy.special import expit

from xbench_study.kernels.effects import Effects, image_logits, locations

BLOCK = 2_000_000
"""Answers that are simulated at a time."""


class Plan(NamedTuple):
    """A study: `paired` asks about all images in both conditions, `unpaired` about others."""

    test: Literal["paired", "unpaired"]
    images: int
    """In each condition."""
    people: int
    """In each condition; nobody is in both."""
    answers: int
    """To each image in each condition, each by another person."""
    alpha: float = 0.05


class Power(NamedTuple):
    """The share of simulated studies whose p is below α, with its Monte-Carlo interval."""

    value: float
    low: float
    high: float
    studies: int


def simulated_power(
    effects: Effects, plan: Plan, studies: int, rng: np.random.Generator, level: float = 0.95
) -> Power:
    """How often the t test over images rejects; the interval is Wilson's."""
    check(effects, plan)
    rows = max(1, BLOCK // (2 * plan.images * plan.answers))
    counts = [min(rows, studies - start) for start in range(0, studies, rows)]
    rejected = sum(int(rejections(_accuracies(effects, plan, n, rng), plan).sum()) for n in counts)
    return Power(rejected / studies, *_wilson(rejected, studies, level), studies)


def check(effects: Effects, plan: Plan) -> None:
    """ValueError for what cannot be."""
    if not all(0 < accuracy < 1 for accuracy in effects.accuracies):
        raise ValueError(f"accuracies are {effects.accuracies}; they lie between 0 and 1")
    if effects.image < 0 or effects.participant < 0:
        raise ValueError("images and people vary by 0 or more")
    if effects.family == "beta-binomial" and effects.image >= 1:
        raise ValueError(f"image is {effects.image}; a correlation of answers is below 1")
    if plan.images < 2 or not 1 <= plan.answers <= plan.people:
        raise ValueError(f"{plan}: at least 2 images, and as many people as answers to an image")


def rejections(
    accuracies: Float64[np.ndarray, "2 studies images"], plan: Plan
) -> Bool[np.ndarray, " studies"]:
    """Whether each study's t test is significant."""
    from scipy import stats

    first, second = accuracies
    n = plan.images
    difference = first.mean(1) - second.mean(1)
    if plan.test == "paired":
        squares, degrees = (first - second).var(1, ddof=1) / n, n - 1
    else:
        squares, degrees = (first.var(1, ddof=1) + second.var(1, ddof=1)) / n, 2 * n - 2
    bound = stats.t.ppf(1 - plan.alpha / 2, degrees)
    return np.asarray(np.abs(difference) > bound * np.sqrt(squares))


def _accuracies(
    effects: Effects, plan: Plan, studies: int, rng: np.random.Generator
) -> Float64[np.ndarray, "2 studies images"]:
    ranks = rng.random((2, studies, plan.images))
    if plan.test == "paired":
        ranks[1] = ranks[0]
    people = people_of(plan)
    shares = []
    for own, location in zip(ranks, locations(effects), strict=True):
        logits = image_logits(effects, location, own)
        persons = effects.participant * rng.standard_normal((studies, plan.people))
        chances = expit(logits[..., None] + persons[:, people])
        shares.append((rng.random(chances.shape) < chances).mean(2))
    return np.array(shares)


def people_of(plan: Plan) -> Int64[np.ndarray, "images answers"]:
    """Who answers about each image: people take turns, so all have as many to within one."""
    places = np.arange(plan.images * plan.answers).reshape(plan.images, plan.answers)
    return places % plan.people


def _wilson(count: int, of: int, level: float) -> tuple[float, float]:
    """Wilson's interval of a share (1927)."""
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = (count + z**2 / 2) / (of + z**2)
    half = z * np.sqrt(count * (of - count) / of + z**2 / 4) / (of + z**2)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def needed(
    effects: Effects,
    plan: Plan,
    wanted: float,
    vary: Literal["images", "people"],
    *,
    studies: int,
    seed: int,
    most: int = 5000,
) -> int | None:
    """The fewest images, or people, with which the power is the wanted one; None above `most`.

    All else stays as in the plan; where people vary, so do answers to an image, one for each of
    `people` / `plan.people` × `plan.answers`. Every size is simulated with the same seed.
    """

    def enough(size: int) -> bool:
        sized = _sized(plan, vary, size)
        power = simulated_power(effects, sized, studies, np.random.default_rng(seed))
        return power.value >= wanted

    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
        if low >= most:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high if high <= most else None


def _sized(plan: Plan, vary: Literal["images", "people"], size: int) -> Plan:
    if vary == "images":
        return plan._replace(images=size)
    answers = max(1, min(size, round(size * plan.answers / plan.people)))
    return plan._replace(people=size, answers=answers)
