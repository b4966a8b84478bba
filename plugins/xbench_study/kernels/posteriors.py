"""Posteriors of the mixed logistic model: odds ratio, and difference in probability.

Rue, Martino and Chopin (2009), Approximate Bayesian Inference for Latent Gaussian Models by Using
Integrated Nested Laplace Approximations, Journal of the Royal Statistical Society B 71: Gaussian
around the mode given the variances, which are integrated over. statsmodels' own approximation, a
mean-field variational one, takes effects to be independent of each other; its intervals are far
too narrow where people are in one condition each (benchmarks/analysis/study_coverage.py).
"""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.special import expit

from xbench_study.kernels.clustered_means import Estimate
from xbench_study.kernels.crossed_logistic import (
    COEFFICIENT_SD,
    LOG_SD_SD,
    CrossedLogistic,
    Mode,
)

Approximation = Literal["nested Laplace", "mean-field variational"]
NODES = 5
"""At which each log σ is integrated over."""
POINTS = 21
"""At which probabilities are integrated over people and images."""
SPREAD = 0.5
"""Standard deviation of log σ where its curvature says nothing."""


class Parameters(NamedTuple):
    """Draws of the posterior: intercept and effect of the condition, and both σ."""

    coefficients: Float64[np.ndarray, "draws 2"]
    sds: Float64[np.ndarray, "draws 2"]
    """Of images, and of participants."""


class Posterior(NamedTuple):
    """What the model says of one condition against another: posterior medians and intervals."""

    odds_ratio: Estimate
    difference: Estimate
    """Of the probability of a right answer, averaged over images and people like these."""
    image_sd: float
    """Posterior mean, in logits."""
    participant_sd: float
    approximation: Approximation


def condition_posterior(
    model: CrossedLogistic,
    rng: np.random.Generator,
    *,
    approximation: Approximation = "nested Laplace",
    level: float = 0.95,
    count: int = 4000,
) -> Posterior:
    """The posterior of the second coefficient of a model whose first one is the intercept."""
    sample = nested_laplace if approximation == "nested Laplace" else variational
    drawn = sample(model, rng, count)
    differences = probability_differences(drawn)
    ratios = np.exp(drawn.coefficients[:, 1])
    images, people = drawn.sds.mean(0).tolist()
    difference = _summary(differences, level)
    return Posterior(_summary(ratios, level), difference, images, people, approximation)


def nested_laplace(model: CrossedLogistic, rng: np.random.Generator, count: int) -> Parameters:
    """Draws of a mixture of Gaussians, one for each node of a grid over both log σ."""
    nodes, modes = _grid(model)
    evidence = np.array([mode.log_evidence for mode in modes])
    z = np.polynomial.hermite_e.hermegauss(NODES)
    weights = np.log(np.outer(z[1], z[1]).ravel()) + np.add.outer(z[0] ** 2, z[0] ** 2).ravel() / 2
    mass = np.exp(evidence + weights - (evidence + weights).max())
    places = rng.choice(len(nodes), size=count, p=mass / mass.sum())
    roots = np.array([np.linalg.cholesky(mode.covariance) for mode in modes])
    means = np.array([mode.effects[:2] for mode in modes])
    noise = np.einsum("nij,nj->ni", roots[places], rng.standard_normal((count, 2)))
    return Parameters(means[places] + noise, np.exp(nodes[places]))


def _grid(model: CrossedLogistic) -> tuple[Float64[np.ndarray, "nodes 2"], list[Mode]]:
    """Nodes around the most probable log σ, on the axes of its curvature, and their modes."""
    centre = _centre(model)
    start = model.mode(centre).effects
    axes = _axes(model, centre, start)
    z = np.polynomial.hermite_e.hermegauss(NODES)[0]
    grid = np.stack(np.meshgrid(z, z, indexing="ij"), -1).reshape(-1, 2)
    nodes = centre + grid @ axes.T
    return nodes, [model.mode(node, start) for node in nodes]


def _centre(model: CrossedLogistic) -> Float64[np.ndarray, " 2"]:
    """The most probable log σ."""
    from scipy.optimize import minimize

    start: list[Float64[np.ndarray, " e"] | None] = [None]

    def surprise(log_sds: Float64[np.ndarray, " 2"]) -> float:
        mode = model.mode(log_sds, start[0])
        start[0] = mode.effects
        return -mode.log_evidence

    simplex = np.array([[-0.5, -0.5], [0.3, -0.5], [-0.5, 0.3]])
    options = {"initial_simplex": simplex, "xatol": 0.01, "fatol": 0.01}
    return np.asarray(minimize(surprise, simplex[0], method="Nelder-Mead", options=options).x)


def _axes(
    model: CrossedLogistic, centre: Float64[np.ndarray, " 2"], start: Float64[np.ndarray, " e"]
) -> Float64[np.ndarray, "2 2"]:
    """A root of the covariance of log σ, by second differences of the evidence."""
    step, unit = 0.2, np.eye(2)

    def evidence(a: int, b: int) -> float:
        return model.mode(centre + step * (a * unit[0] + b * unit[1]), start).log_evidence

    middle = evidence(0, 0)
    first = (2 * middle - evidence(1, 0) - evidence(-1, 0)) / step**2
    second = (2 * middle - evidence(0, 1) - evidence(0, -1)) / step**2
    mixed = (evidence(1, -1) + evidence(-1, 1) - evidence(1, 1) - evidence(-1, -1)) / 4 / step**2
    curvature = np.array([[first, mixed], [mixed, second]])
    values, vectors = np.linalg.eigh(curvature)
    return np.asarray(vectors * np.maximum(values, 1 / SPREAD**2) ** -0.5)


def variational(model: CrossedLogistic, rng: np.random.Generator, count: int) -> Parameters:
    """Draws of statsmodels' mean-field variational approximation."""
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    k, *sizes = model.sizes
    kinds = np.repeat([0, 1], sizes)
    fitted = BinomialBayesMixedGLM(
        model.right,
        model.design,
        model.columns[:, k:],
        kinds,
        vcp_p=LOG_SD_SD,
        fe_p=COEFFICIENT_SD,
    )
    size = k + len(kinds) + 2
    result = fitted.fit_vb(mean=np.zeros(size), sd=np.full(size, 0.5))
    coefficients = rng.normal(result.fe_mean, result.fe_sd, (count, 2))
    return Parameters(coefficients, np.exp(rng.normal(result.vcp_mean, result.vcp_sd, (count, 2))))


def probability_differences(drawn: Parameters) -> Float64[np.ndarray, " draws"]:
    """What the condition adds to the probability of a right answer, over images and people.

    E σ(β₀ + β₁ + w) − E σ(β₀ + w) with w ~ N(0, σ_u² + σ_v²), by Gauss and Hermite.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(POINTS)
    without = drawn.coefficients[:, :1] + np.sqrt((drawn.sds**2).sum(1))[:, None] * nodes
    gain = expit(without + drawn.coefficients[:, 1:]) - expit(without)
    return np.asarray(gain @ (weights / weights.sum()))


def _summary(values: Float64[np.ndarray, " draws"], level: float) -> Estimate:
    low, middle, high = np.quantile(values, [(1 - level) / 2, 0.5, (1 + level) / 2])
    return Estimate(float(middle), float(low), float(high))
