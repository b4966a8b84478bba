"""Degrees of reasonableness between classes: rows are true, columns predicted."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64


class ClassDegrees(NamedTuple):
    """How reasonable people find it to take a class (row) for another (column)."""

    means: Float64[np.ndarray, "classes classes"]
    """The highest degree on the diagonal; NaN where nobody gave one."""
    ratings: Int64[np.ndarray, "classes classes"]
    """How many people gave one; 0 on the diagonal, which is not asked."""


def class_degrees(
    true: Int64[np.ndarray, " n"],
    predicted: Int64[np.ndarray, " n"],
    degrees: Float64[np.ndarray, " n"],
    *,
    classes: int,
    highest: int,
) -> ClassDegrees:
    """Mean degrees over people; "cannot tell" is NaN, and in no mean."""
    sums, ratings = np.zeros((classes, classes)), np.zeros((classes, classes), dtype=np.int64)
    kept = ~np.isnan(degrees) & (true != predicted)
    np.add.at(sums, (true[kept], predicted[kept]), degrees[kept])
    np.add.at(ratings, (true[kept], predicted[kept]), 1)
    means = np.divide(sums, ratings, out=np.full(sums.shape, np.nan), where=ratings > 0)
    np.fill_diagonal(means, highest)
    return ClassDegrees(means, ratings)
