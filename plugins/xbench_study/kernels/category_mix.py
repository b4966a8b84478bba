"""Differences at one mix of categories: what two groups of images that differ in it have left."""

import numpy as np
from jaxtyping import Float64, Int64


def category_mix(
    images: Int64[np.ndarray, " n"], categories: Int64[np.ndarray, " n"], count: int
) -> Float64[np.ndarray, " c"]:
    """The share of the images that is in each of `count` categories; answers do not count.

    Images without a category (−1) are left out; NaN where none has one.
    """
    _, first = np.unique(images, return_index=True)
    known = categories[first]
    counts = np.bincount(known[known >= 0], minlength=count)
    return counts / counts.sum() if counts.sum() else np.full(count, np.nan)


def standardised(means: Float64[np.ndarray, " c"], mix: Float64[np.ndarray, " c"]) -> float:
    """The mean that a group with these means by category has at this mix.

    A category that the mix has and the group lacks makes it NaN.
    """
    used = mix != 0
    return float(means[used] @ mix[used])


def standardised_difference(
    first: Float64[np.ndarray, " c"],
    second: Float64[np.ndarray, " c"],
    mix: Float64[np.ndarray, " c"],
) -> float:
    """Direct standardisation: both groups' means by category, weighted by one mix."""
    return standardised(first, mix) - standardised(second, mix)
