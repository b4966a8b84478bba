"""Distances of predicted distributions from those of people, image by image, in nats."""

import numpy as np
from jaxtyping import Float, Float64, Int


def human_distributions(counts: Int[np.ndarray, "n classes"]) -> Float64[np.ndarray, "n classes"]:
    """The share of an image's annotators who chose each class; NaN where nobody was asked."""
    totals = counts.sum(1, keepdims=True)
    shares = np.full(counts.shape, np.nan)
    return np.divide(counts, totals, out=shares, where=totals > 0)


def entropies(distributions: Float[np.ndarray, "n classes"]) -> Float64[np.ndarray, " n"]:
    """−Σ p log p of each row, with 0 log 0 = 0: of counted labels the plug-in estimate."""
    logarithms = np.log(distributions, out=np.zeros(distributions.shape), where=distributions != 0)
    # adding 0 turns −0 into 0
    return -(distributions * logarithms).sum(1) + 0.0


def miller_madow_entropies(counts: Int[np.ndarray, "n classes"]) -> Float64[np.ndarray, " n"]:
    """The plug-in entropy plus (k − 1) / 2n, for k classes that were chosen by n people.

    Miller (1955) corrects the first order of what few draws take from an entropy. NaN where
    nobody was asked.
    """
    totals = counts.sum(1).astype(np.float64)
    missing = (counts > 0).sum(1) - 1.0
    correction = np.divide(missing, 2 * totals, out=np.zeros(len(counts)), where=totals > 0)
    return entropies(human_distributions(counts)) + correction


def cross_entropies(
    distributions: Float[np.ndarray, "n classes"],
    log_probabilities: Float[np.ndarray, "n classes"],
) -> Float64[np.ndarray, " n"]:
    """−Σ p log q of each row, for p of people and log q of a network.

    A class that nobody chose adds nothing, whatever q is; one that somebody chose and that has
    q = 0 makes it infinite. It is the divergence of q from p and the entropy of p.
    """
    terms = np.zeros(distributions.shape)
    chosen = distributions != 0
    np.multiply(distributions, log_probabilities, out=terms, where=chosen)
    return -terms.sum(1) + 0.0


def label_cross_entropies(
    labels: Int[np.ndarray, " n"], log_probabilities: Float[np.ndarray, "n classes"]
) -> Float64[np.ndarray, " n"]:
    """−log q of each image's label; infinite where q is 0."""
    return -log_probabilities[np.arange(len(labels)), labels].astype(np.float64) + 0.0


def brier_scores(
    distributions: Float[np.ndarray, "n classes"], probabilities: Float[np.ndarray, "n classes"]
) -> Float64[np.ndarray, " n"]:
    """Σ (q − p)² over the classes: from 0 to 2 (Brier 1950)."""
    return ((probabilities - distributions) ** 2).sum(1).astype(np.float64)


def label_distributions(
    labels: Int[np.ndarray, " n"], classes: int
) -> Float64[np.ndarray, "n classes"]:
    """All of the mass on each image's label."""
    return np.eye(classes)[labels]
