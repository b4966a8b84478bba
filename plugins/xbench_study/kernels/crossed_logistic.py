"""A logistic model with crossed random effects of images and participants, given its variances.

logit P(right) = x β + u_image + v_participant,  u ~ N(0, σ_u²),  v ~ N(0, σ_v²).

The model and the priors are those of statsmodels' `BinomialBayesMixedGLM`: β ~ N(0, 2²), and
log σ ~ N(0, 1).
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64
from scipy import sparse
from scipy.special import expit

COEFFICIENT_SD = 2.0
LOG_SD_SD = 1.0
STEPS = 100
"""Of Newton's method, which needs about five."""
CLOSE = 1e-9


class Mode(NamedTuple):
    """The most probable effects given their variances, and what lies around them."""

    effects: Float64[np.ndarray, " e"]
    """Coefficients, then images, then participants."""
    covariance: Float64[np.ndarray, "k k"]
    """Of the coefficients, by the curvature at the mode."""
    log_evidence: float
    """log p(answers, log σ) by Laplace's approximation, but for a constant."""


@dataclass(frozen=True, eq=False)
class CrossedLogistic:
    """Answers, and what each depends on."""

    design: Float64[np.ndarray, "n k"]
    right: Float64[np.ndarray, " n"]
    images: Int64[np.ndarray, " n"]
    """Places from 0."""
    participants: Int64[np.ndarray, " n"]

    @functools.cached_property
    def sizes(self) -> tuple[int, int, int]:
        """How many coefficients, images and participants there are."""
        counts = (int(of.max()) + 1 for of in (self.images, self.participants))
        return (self.design.shape[1], *counts)

    @functools.cached_property
    def columns(self) -> sparse.csr_array:
        """What each answer (row) has of each effect (column)."""
        rows, ones = np.arange(len(self.right)), np.ones(len(self.right))
        blocks = [
            sparse.csr_array((ones, (rows, of)), shape=(len(rows), count))
            for of, count in zip((self.images, self.participants), self.sizes[1:], strict=True)
        ]
        return sparse.csr_array(sparse.hstack([sparse.csr_array(self.design), *blocks]))

    def precisions(self, log_sds: Float64[np.ndarray, " 2"]) -> Float64[np.ndarray, " e"]:
        """One over the prior variance of each effect."""
        sds = np.array([COEFFICIENT_SD, *np.exp(log_sds)])
        return np.repeat(sds**-2, self.sizes)

    def log_density(
        self, effects: Float64[np.ndarray, " e"], log_sds: Float64[np.ndarray, " 2"]
    ) -> float:
        """Log p(answers, effects, log σ), but for a constant."""
        score, precisions = self.columns @ effects, self.precisions(log_sds)
        likelihood = self.right @ score - np.logaddexp(0, score).sum()
        prior = (np.log(precisions).sum() - precisions @ effects**2) / 2
        return float(likelihood + prior - (log_sds**2).sum() / 2 / LOG_SD_SD**2)

    def mode(
        self, log_sds: Float64[np.ndarray, " 2"], start: Float64[np.ndarray, " e"] | None = None
    ) -> Mode:
        """The most probable effects, by Newton's method."""
        columns, precisions = self.columns, self.precisions(log_sds)
        effects = np.zeros(sum(self.sizes)) if start is None else start
        for _ in range(STEPS):
            curvature, step = self._newton(columns, precisions, effects)
            effects = effects + step
            if np.abs(step).max() < CLOSE:
                break
        curvature, _ = self._newton(columns, precisions, effects)
        k = self.sizes[0]
        corner = np.linalg.solve(curvature, np.eye(len(effects), k))[:k]
        evidence = self.log_density(effects, log_sds) - np.linalg.slogdet(curvature)[1] / 2
        return Mode(effects, corner, float(evidence))

    def _newton(
        self,
        columns: sparse.csr_array,
        precisions: Float64[np.ndarray, " e"],
        effects: Float64[np.ndarray, " e"],
    ) -> tuple[Float64[np.ndarray, "e e"], Float64[np.ndarray, " e"]]:
        """The curvature of −log p at these effects, and the step to where the slope vanishes."""
        shares = expit(columns @ effects)
        slope = columns.T @ (self.right - shares) - precisions * effects
        weighted = columns.multiply((shares * (1 - shares))[:, None])
        curvature = (columns.T @ weighted).toarray() + np.diag(precisions)
        step = np.linalg.solve(curvature, slope)
        return curvature, step / max(1.0, np.abs(step).max() / 5)
