"""Which of several classifiers makes the mistake that is nearest to the truth."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

TIE = 1e-9
"""Two similarities are equal if the smaller lacks at most this share of the larger."""


class Order(NamedTuple):
    """For each true and predicted class, how its wrong classes compare with the predicted one."""

    closer: Int64[np.ndarray, "classes classes"]
    """How many wrong classes are nearer to the true one; on the diagonal it means nothing."""
    level: Int64[np.ndarray, "classes classes"]
    """How many are as near, the predicted one included."""


class Pair(NamedTuple):
    """How the mistakes of two classifiers compare, in images that both get wrong."""

    same: int
    """Both take the image for the same class."""
    closer: int
    """The first one's class is nearer to the true one."""
    farther: int
    level: int
    """Their classes differ, and are equally near."""

    @property
    def images(self) -> int:
        """How many images both get wrong."""
        return self.same + self.closer + self.farther + self.level


def order(matrix: Float64[np.ndarray, "classes classes"]) -> Order:
    """How the wrong classes of each row compare with each class; ties as `TIE` has them."""
    classes = len(matrix)
    closer = np.zeros((classes, classes), np.int64)
    level = np.zeros((classes, classes), np.int64)
    for true, row in enumerate(matrix):
        wrong = np.sort(np.delete(row, true))
        closer[true] = len(wrong) - np.searchsorted(wrong, row / (1 - TIE), side="right")
        farther = np.searchsorted(wrong, row * (1 - TIE), side="left")
        level[true] = len(wrong) - closer[true] - farther
    return Order(closer, level)


def wrong_class_mean_and_max(
    matrix: Float64[np.ndarray, "classes classes"],
) -> tuple[Float64[np.ndarray, " classes"], Float64[np.ndarray, " classes"]]:
    """Of each row the mean and the largest number off the diagonal; NaN for a single class."""
    classes = len(matrix)
    if classes < 2:
        return np.full(classes, np.nan), np.full(classes, np.nan)
    off_diagonal = matrix[~np.eye(classes, dtype=bool)].reshape(classes, classes - 1)
    return off_diagonal.mean(1), off_diagonal.max(1)


def nearest(
    similarities: Float64[np.ndarray, "classifiers images"],
) -> Bool[np.ndarray, "classifiers images"]:
    """Which classifiers reach the largest similarity of an image."""
    return similarities >= similarities.max(0) * (1 - TIE)


def hard_points(
    similarities: Float64[np.ndarray, "classifiers images"],
) -> Float64[np.ndarray, "classifiers images"]:
    """1 for the one classifier that is nearest, 0 for all where several are.

    Section 5 of the paper, as its authors' code counts: ties give nobody a point.
    """
    winners = nearest(similarities)
    return (winners & (winners.sum(0) == 1)).astype(np.float64)


def soft_points(
    similarities: Float64[np.ndarray, "classifiers images"],
) -> Float64[np.ndarray, "classifiers images"]:
    """1/n for each of the n classifiers that are nearest: every image gives one point away."""
    winners = nearest(similarities)
    return winners / winners.sum(0)


class Chances(NamedTuple):
    """Points that a classifier is expected to get for wrong classes taken at random."""

    hard: Float64[np.ndarray, "classifiers images"]
    soft: Float64[np.ndarray, "classifiers images"]


def chances(
    similarities: Float64[np.ndarray, "classifiers images"],
    closer: Int64[np.ndarray, "classifiers images"],
    level: Int64[np.ndarray, "classifiers images"],
    wrong: Int64[np.ndarray, " images"],
) -> Chances:
    """What each would get if its class were any of the `wrong` ones, and the others' as it is.

    `closer` and `level` are those of `order`, at the class that each classifier predicts.
    Of two classifiers or more.
    """
    hard, soft = np.zeros(similarities.shape), np.zeros(similarities.shape)
    for place in range(len(similarities)):
        others = np.delete(similarities, place, axis=0)
        best, ties = others.argmax(0)[None], nearest(others).sum(0)
        above = np.take_along_axis(np.delete(closer, place, axis=0), best, 0)[0]
        beside = np.take_along_axis(np.delete(level, place, axis=0), best, 0)[0]
        hard[place] = above / wrong
        soft[place] = (above + beside / (ties + 1)) / wrong
    return Chances(hard, soft)


def pair_counts(
    predicted: Int64[np.ndarray, "two images"], similarities: Float64[np.ndarray, "two images"]
) -> Pair:
    """How two classifiers' mistakes compare; both are wrong in all of these images."""
    same = predicted[0] == predicted[1]
    first, second = nearest(similarities) & ~same
    closer, farther = first & ~second, second & ~first
    counts = (same, closer, farther, first & second)
    return Pair(*(int(count.sum()) for count in counts))
