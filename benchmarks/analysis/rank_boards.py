"""Whether rank intervals hold the true ranks, on simulated boards whose true scores are known.

python benchmarks/analysis/rank_boards.py [--simulations 400] [--seed 0] [--only TEXT]

prints a Markdown table with a line for each scenario: the share of simulations in which the
marginal interval of an entry holds every rank that it truly may have, of the worst entry and of
the mean one; the mean number of ranks in an interval, and by how many the stepdown made it
narrower; the share of simulations in which any entries with equal true scores share no letter.
"""

import argparse
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from xbench.kernels import RankRule, compact_letters, holm, paired_tests, rank_intervals

ENTRIES = 40
RESAMPLES = 299
ALPHA = 0.05
REPEATS = 3
"""Cases of an image, where images are clusters."""

BOARDS = {
    "spread": np.linspace(0, 1, ENTRIES),
    "near-ties": np.linspace(0, 0.05, ENTRIES),
    "ties of 5": np.repeat(np.linspace(0, 1, ENTRIES // 5), 5),
    "all tied": np.zeros(ENTRIES),
}
"""True scores, in standard deviations of a case."""

SCENARIOS = {
    ("all tied", "opposed"): (30, 100, 300, 1000),
    ("all tied", "bounded"): (30, 100, 300),
    ("all tied", "normal"): (30, 100),
    ("ties of 5", "normal"): (30, 300),
    ("ties of 5", "lognormal"): (30, 100),
    ("ties of 5", "clustered"): (30, 100),
    ("near-ties", "normal"): (30, 300),
    ("spread", "normal"): (30, 300, 1000),
}
"""Numbers of images by true scores and cases."""
COMPARED = 50
"""Simulations of a scenario whose intervals are made without the stepdown, too."""


class Findings(NamedTuple):
    """Of one simulation: whose interval holds its true ranks, how wide, what was split."""

    holds: np.ndarray
    width: float
    narrower: float
    split: bool


def main(simulations: int, seed: int, only: str) -> None:
    """Print the table, line by line."""
    print(
        f"{simulations} simulations of {ENTRIES} entries, {RESAMPLES} resamples; binomial "
        f"standard error of a share of .95: {math.sqrt(0.0475 / simulations):.3f}\n"
    )
    print(
        "| true scores | cases | images | worst entry | mean entry | ranks in an interval | "
        "narrower by the stepdown | ties split |\n|---|---|---:|---:|---:|---:|---:|---:|"
    )
    for board, cases, images in scenarios(only):
        found = [
            simulated(BOARDS[board], cases, images, (seed, images, number))
            for number in range(simulations)
        ]
        print(f"| {board} | {cases} | {images} | {figures(board, found)} |", flush=True)


def scenarios(only: str) -> Iterator[tuple[str, str, int]]:
    """Those whose name, such as `all tied, normal, 30`, holds the text."""
    for (board, cases), numbers in SCENARIOS.items():
        for images in numbers:
            if only in f"{board}, {cases}, {images}":
                yield board, cases, images


def simulated(true, cases, images, seeds) -> Findings:
    """One board, its intervals, and its letters."""
    sums, counts = drawn(true, cases, images, np.random.default_rng(seeds))
    rule = RankRule(resamples=RESAMPLES, seed=seeds[-1])
    intervals, (best, worst) = rank_intervals(sums, counts, "higher", rule), true_ranks(true)
    narrower = math.nan
    if seeds[-1] < COMPARED:
        without = rank_intervals(sums, counts, "higher", rule._replace(stepdown=False))
        narrower = width(without) - width(intervals)
    holds = (intervals.low <= best) & (worst <= intervals.high)
    return Findings(holds, width(intervals), narrower, ties_split(true, sums, counts))


def drawn(true, cases, images, source) -> tuple[np.ndarray, np.ndarray]:
    """Sums and numbers of cases of each image."""
    repeats = REPEATS if cases == "clustered" else 1
    shape = (images, len(true))
    if cases == "bounded":
        values = bounded(true, source, shape)
    elif cases == "clustered":
        of_images = source.normal(size=(images, 1)) + source.normal(size=shape)
        values = repeats * (true + of_images * 0.6) + source.normal(size=shape) * 0.5 * repeats**0.5
    else:
        values = true + 0.5 * source.normal(size=(images, 1)) + noise(cases, source, shape)
    return values, np.full(images, repeats)


def noise(cases, source, shape) -> np.ndarray:
    """Mean 0, standard deviation 1; lognormal, or every second entry lognormal upside down."""
    if cases == "normal":
        return source.normal(size=shape)
    skewed = np.exp(source.normal(size=shape)) - math.exp(0.5)
    skewed /= math.sqrt((math.e - 1) * math.e)
    return skewed * np.where(np.arange(shape[1]) % 2, -1, 1) if cases == "opposed" else skewed


def bounded(true, source, shape) -> np.ndarray:
    """Scores between 0 and 1, beta distributed, of which some entries' are nearly all 0 or 1."""
    means = 0.15 + 0.2 * true
    sizes = np.geomspace(0.5, 20, shape[1])
    return source.beta(means * sizes, (1 - means) * sizes, size=shape)


def true_ranks(true) -> tuple[np.ndarray, np.ndarray]:
    """The best and the worst rank that each entry may take among those tied with it."""
    better = (true[:, None] > true[None, :]).sum(axis=0)
    worse = (true[:, None] < true[None, :]).sum(axis=0)
    return 1 + better, len(true) - worse


def width(intervals) -> float:
    """The mean number of ranks in an interval."""
    return float((intervals.high - intervals.low + 1).mean())


def ties_split(true, sums, counts) -> bool:
    """Whether any two with equal true scores share no letter."""
    apart = holm(paired_tests(sums, counts).p) <= ALPHA
    tied = true[:, None] == true[None, :]
    if not (apart & tied).any():
        return False
    shown = [set(own) for own in compact_letters(apart, np.argsort(-sums.sum(axis=0)))]
    return any(
        tied[i, j] and not shown[i] & shown[j] for i, j in zip(*np.nonzero(tied), strict=True)
    )


def figures(board, found) -> str:
    """The columns of one scenario."""
    holds = np.mean([of_one.holds for of_one in found], axis=0)
    ranks = np.mean([of_one.width for of_one in found])
    narrower = np.nanmean([of_one.narrower for of_one in found])
    split = np.mean([of_one.split for of_one in found])
    tied = len(set(BOARDS[board])) < ENTRIES
    return f"{holds.min():.3f} | {holds.mean():.3f} | {ranks:.1f} | {narrower:.2f} | " + (
        f"{split:.3f}" if tied else ""
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    main(**vars(parser.parse_args()))
