"""First and second choices of people and of networks."""

import numpy as np
from jaxtyping import Float64, Int, Int64, Shaped

NONE = -1
"""Where there is no such class."""


def first_classes(values: Shaped[np.ndarray, "n classes"]) -> Int64[np.ndarray, " n"]:
    """The class with the largest value; of several the first in the order of classes."""
    return values.argmax(1)


def second_classes(values: Shaped[np.ndarray, "n classes"]) -> Int64[np.ndarray, " n"]:
    """The class with the largest value beside the first one; ties as there."""
    order = np.argsort(-values.astype(np.float64), axis=1, kind="stable")
    return order[:, 1] if values.shape[1] > 1 else np.full(len(values), NONE)


def unique_second_classes(counts: Int[np.ndarray, "n classes"]) -> Int64[np.ndarray, " n"]:
    """The class that most people chose beside the first one, where it is one class; else −1.

    It is none where nobody chose a second class, and where two classes share the second place.
    Where two share the first place and none of the others has as many, the one that stands
    first in the order of classes is first and the other one second.
    """
    if counts.shape[1] < 2:
        return np.full(len(counts), NONE)
    ordered = np.sort(counts, axis=1)[:, ::-1]
    third = ordered[:, 2] if counts.shape[1] > 2 else np.zeros(len(counts), counts.dtype)
    return np.where(ordered[:, 1] > third, second_classes(counts), NONE)


def second_best_hits(
    counts: Int[np.ndarray, "n classes"], values: Shaped[np.ndarray, "n classes"]
) -> Float64[np.ndarray, " n"]:
    """Whether people's second class is also the network's; NaN where people have none.

    Second-best accuracy is the mean of these (Peterson et al. 2019, section 5.1).
    """
    second = unique_second_classes(counts)
    hits = (second == second_classes(values)).astype(np.float64)
    return np.where(second == NONE, np.nan, hits)


def person_accuracies(
    counts: Int[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    """The share of an image's annotators who chose its label: what one of them scores."""
    right = counts[np.arange(len(labels)), labels]
    return np.divide(right, counts.sum(1), out=np.full(len(labels), np.nan), where=counts.any(1))


def crowd_hits(
    counts: Int[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    """1 where the label is what most people chose; k classes that share this place have 1/k."""
    best = counts == counts.max(1, keepdims=True)
    return best[np.arange(len(labels)), labels] / best.sum(1)
