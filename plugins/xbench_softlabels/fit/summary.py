"""From rows to the scores of the human-fit protocol."""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Shaped

from xbench import CaseScores, Rows
from xbench_softlabels.fit.entropy_bins import NAMES, entropy_bins
from xbench_softlabels.fit.rows import FitColumns, fit_columns
from xbench_softlabels.kernels.choices import NONE, unique_second_classes
from xbench_softlabels.kernels.class_level import class_distributions, label_prior
from xbench_softlabels.kernels.distances import (
    brier_scores,
    cross_entropies,
    human_distributions,
    label_distributions,
)
from xbench_softlabels.kernels.ranks import rank_products

ENTROPY = "@entropy "
"""Precedes a bin of people's entropy in names of scores."""
ADDED_LABELS = 0.5
"""Labels of each class that are added to those of a class, or of all images."""
TERMS = {
    "people": "those who labelled the test images; annotators that a program makes up are called "
    "simulated annotators everywhere.",
    "cross-entropy": "how unlikely the labels are to a network, in nats: those of people, each "
    "with its share, or the one label that counts as right; less is nearer.",
    "Brier score": "the sum over classes of squared differences of a network's probabilities from "
    "people's shares, or from the label; less is nearer.",
    "yardstick": "the cross-entropy to people of what no network says: their own entropy, which "
    "nothing is below, what they say on average of all images (prior), and of images of the "
    "predicted class, or of the true class, which a network does not know; and what an ideal "
    "observer says, where there is one.",
    "second-best accuracy": "how often a network's second class is that of people, on images "
    "where they have one.",
    "divergence": "the cross-entropy less people's own entropy, by how much they disagree.",
    "entropy correlation": "Spearman's rank correlation of the network's entropy with people's, "
    "over images; its interval takes the ranks as fixed.",
    "confidence": "the probability of the predicted class, where it is right and where it is not.",
}


class Uniform(NamedTuple):
    """What probabilities that are the same for all classes score."""

    cross_entropy: float
    accuracy: float
    brier: float
    label_brier: float


def case_scores(rows: Rows) -> list[CaseScores]:
    """All scores of one entry in one repeat."""
    columns = fit_columns(rows)
    parts = (_distances, _yardsticks, _choices, _divergences, _confidence)
    return [score for part in parts for score in part(columns)]


def uniform_scores(columns: FitColumns) -> Uniform:
    """Of these images."""
    classes = columns.counts.shape[1]
    even = np.full(columns.counts.shape, 1 / classes)
    shares = human_distributions(columns.counts)
    hard = label_distributions(columns.labels, classes)
    briers = [float(brier_scores(of, even).mean()) for of in (shares, hard)]
    return Uniform(math.log(classes), 1 / classes, *briers)


def _distances(columns: FitColumns) -> list[CaseScores]:
    """Cross-entropy and Brier score, to people and to the labels; the first of all ranks."""
    whom, uniform = columns.whom, uniform_scores(columns)
    entropy = uniform.cross_entropy
    return [
        _distance(f"cross-entropy@{whom}", columns, columns.cross_entropy, entropy, headline=True),
        _distance("cross-entropy@labels", columns, columns.label_cross_entropy, entropy),
        _distance(f"Brier score@{whom}", columns, columns.brier, uniform.brier),
        _distance("Brier score@labels", columns, columns.label_brier, uniform.label_brier),
    ]


def _distance(
    name: str,
    columns: FitColumns,
    values: Float64[np.ndarray, " n"],
    chance: float | None,
    *,
    headline: bool = False,
) -> CaseScores:
    expected = chance if len(values) else None
    return CaseScores(name, "lower", columns.cases, values, headline, "number", expected)


def _yardsticks(columns: FitColumns) -> list[CaseScores]:
    """What no network says, image by image."""
    return [
        CaseScores(f"yardstick@{name}", "none", columns.cases, values, unit="number")
        for name, values in yardsticks(columns).items()
    ]


def yardsticks(columns: FitColumns) -> dict[str, Float64[np.ndarray, " n"]]:
    """The cross-entropy to people of distributions that are the same for many images.

    Those of classes and of all images are smoothed by half a label of each class.
    """
    counts, labels = columns.counts, columns.labels
    shares = human_distributions(counts)
    rows = np.log(class_distributions(counts, labels, ADDED_LABELS))
    prior = np.log(label_prior(counts, ADDED_LABELS))
    ideal = {} if np.isnan(columns.ideal).all() else {"ideal observer": columns.ideal}
    return {
        "entropy": columns.human_entropy,
        **ideal,
        "true class": cross_entropies(shares, rows[labels]),
        "predicted class": cross_entropies(shares, rows[columns.predicted]),
        "prior": cross_entropies(shares, np.broadcast_to(prior, shares.shape)),
    }


def _choices(columns: FitColumns) -> list[CaseScores]:
    """How often first and second classes are right, and whether doubt goes with people's."""
    chance = uniform_scores(columns).accuracy if len(columns.cases) else None
    second = unique_second_classes(columns.counts)
    hits = _among(columns, "second-best accuracy", second != NONE, second == columns.second)
    products = rank_products(columns.entropy, columns.human_entropy)
    cases = columns.cases
    return [
        CaseScores("accuracy", "higher", cases, columns.right.astype(np.float64), chance=chance),
        replace(hits, direction="higher", chance=chance),
        CaseScores("entropy correlation", "higher", cases, products, unit="number", chance=0.0),
    ]


def _divergences(columns: FitColumns) -> list[CaseScores]:
    """What of the cross-entropy is no disagreement of people, in each bin of it with images."""
    values = columns.cross_entropy - columns.human_entropy
    bins = entropy_bins(columns.human_entropy)
    scores = (
        _among(columns, f"divergence{ENTROPY}{name}", bins == number, values)
        for number, name in enumerate(NAMES)
    )
    return [replace(of, direction="lower", unit="number") for of in scores if len(of.values)]


def _confidence(columns: FitColumns) -> list[CaseScores]:
    """The probability of the predicted class where it is right, and where it is not."""
    groups = {"right": columns.right, "wrong": ~columns.right}
    return [
        _among(columns, f"confidence@{name}", of, columns.confidence) for name, of in groups.items()
    ]


def _among(
    columns: FitColumns, name: str, mask: Bool[np.ndarray, " n"], values: Shaped[np.ndarray, " n"]
) -> CaseScores:
    """A score of some of the images: of the others there is nothing to be scored."""
    return CaseScores(name, "none", columns.cases[mask], values[mask].astype(np.float64))
