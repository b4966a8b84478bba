"""How often the intervals of a study hold the truth: crossed simulations of its answers.

python benchmarks/analysis/study_coverage.py [STUDIES [VARIATIONAL]]

simulates studies of 200 images with 5 answers in each of two conditions by 40 people, who take
part unevenly (weights are log-normal with σ = .7, so the busiest tenth gives 22 to 24 % of
the answers), with effects of images (σ = 1) and people (σ = .6) in logits, and prints, as Markdown,
how often nominal .95 intervals hold the truth and how wide they are on average. In `between`
designs half of the people are in each condition, in `within` designs all are in both. VARIATIONAL
of the studies are analysed by statsmodels' mean-field variational approximation, too.

With `300 20`, coverage and mean width (of 300 studies ±.025, of 20 ±.2):

                                          between        within
    bootstrap: accuracy                   .977  .155     .987  .138
    bootstrap: difference                 .967  .196     .997  .135
    nested Laplace: odds ratio            .963 1.604     .930  .714
    nested Laplace: difference            .963  .156     .940  .073
    mean-field variational: odds ratio    .600  .605     .800  .557
    mean-field variational: difference    .700  .049     .750  .050

The bootstrap is careful, most of all where all people are in both conditions. Variational intervals
are no intervals of the condition's effect.
"""

import sys
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import expit

from xbench import Draws, Resampling
from xbench_study.kernels.clustered_means import Estimate, group_means
from xbench_study.kernels.crossed_logistic import CrossedLogistic
from xbench_study.kernels.effects import Effects, locations
from xbench_study.kernels.posteriors import Approximation, condition_posterior

Assignment = Literal["between", "within"]
EFFECTS = Effects((0.63, 0.73), 1.0, 0.6)
"""Accuracies of experiment 2 of Shen and Huang (2020)."""
IMAGES, PEOPLE, ANSWERS, UNEVEN = 200, 40, 5, 0.7


class Simulated(NamedTuple):
    """The answers of simulated people."""

    images: Int64[np.ndarray, " n"]
    participants: Int64[np.ndarray, " n"]
    conditions: Int64[np.ndarray, " n"]
    right: Float64[np.ndarray, " n"]


def simulated(assignment: Assignment, rng: np.random.Generator) -> Simulated:
    """One study: each image by people who differ, drawn by how much they take part."""
    weights = rng.lognormal(0, UNEVEN, PEOPLE)
    halves = [np.arange(PEOPLE) % 2 == condition for condition in (0, 1)]
    allowed = halves if assignment == "between" else [np.full(PEOPLE, True)] * 2
    shares = [np.where(of, weights, 0) / weights[of].sum() for of in allowed]
    people = np.array(
        [
            [rng.choice(PEOPLE, ANSWERS, replace=False, p=share) for _ in range(IMAGES)]
            for share in shares
        ]
    )
    conditions, images, _ = np.indices(people.shape)
    ease = rng.normal(0, EFFECTS.image, IMAGES)[images]
    skill = rng.normal(0, EFFECTS.participant, PEOPLE)[people]
    chances = expit(np.array(locations(EFFECTS))[conditions] + ease + skill)
    right = (rng.random(chances.shape) < chances).astype(float)
    return Simulated(*(of.ravel() for of in (images, people, conditions, right)))


def intervals(study: Simulated, seed: int) -> Iterator[tuple[str, Estimate, float]]:
    """What the bootstrap says, and the truth of each."""
    first, second = EFFECTS.accuracies
    draws = Draws(Resampling(resamples=1000, seed=seed))
    means = group_means(study.images, study.participants, study.right, study.conditions, 2, draws)
    yield "bootstrap: accuracy", means.estimate(0), first
    yield "bootstrap: difference", means.difference(1, 0), second - first


def posterior(
    study: Simulated, approximation: Approximation, seed: int
) -> Iterator[tuple[str, Estimate, float]]:
    """What the model says, and the truth of each."""
    design = np.column_stack([np.ones(len(study.right)), study.conditions])
    model = CrossedLogistic(design, study.right, study.images, study.participants)
    rng = np.random.default_rng(seed)
    says = condition_posterior(model, rng, approximation=approximation)
    first, second = locations(EFFECTS)
    yield f"{approximation}: odds ratio", says.odds_ratio, float(np.exp(second - first))
    yield f"{approximation}: difference", says.difference, float(np.diff(EFFECTS.accuracies)[0])


def coverage(assignment: Assignment, studies: int, variational: int) -> dict[str, list[float]]:
    """Of each interval: share that holds the truth, mean width, and number of studies."""
    rows: dict[str, list[tuple[bool, float]]] = {}
    for seed in range(studies):
        study = simulated(assignment, np.random.default_rng([seed, len(assignment)]))
        says = [*intervals(study, seed), *posterior(study, "nested Laplace", seed)]
        if seed < variational:
            says += posterior(study, "mean-field variational", seed)
        for name, (_, low, high), truth in says:
            rows.setdefault(name, []).append((low <= truth <= high, high - low))
    return {name: [*np.mean(of, axis=0), len(of)] for name, of in rows.items()}


def main(studies: int = 400, variational: int = 40) -> None:
    """Print the table of both designs."""
    print("| design | interval | coverage | mean width | studies |\n|---|---|--:|--:|--:|")
    designs: tuple[Assignment, ...] = ("between", "within")
    for assignment in designs:
        for name, (share, width, n) in coverage(assignment, studies, variational).items():
            print(f"| {assignment} | {name} | {share:.3f} | {width:.3f} | {n:.0f} |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
