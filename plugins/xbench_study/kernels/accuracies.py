"""Accuracies of images: the units of the paper's t tests."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from xbench.kernels import cluster_totals


class ImageAccuracies(NamedTuple):
    """Of each image that anybody answered about: its id, its accuracy, and how many answered."""

    images: Int64[np.ndarray, " i"]
    accuracies: Float64[np.ndarray, " i"]
    answers: Int64[np.ndarray, " i"]


def image_accuracies(
    images: Int64[np.ndarray, " n"], right: Float64[np.ndarray, " n"]
) -> ImageAccuracies:
    """The share of right answers of each image, in the order of ids.

    `right` is 1 or 0, and NaN for what is no answer (skipped); images without answers are left out.
    """
    totals = cluster_totals(images, right)
    answered = totals.counts > 0
    counts = totals.counts[answered]
    return ImageAccuracies(totals.clusters[answered], totals.sums[answered] / counts, counts)


class PairedAccuracies(NamedTuple):
    """Images that were answered about in both conditions, and both accuracies of each."""

    images: Int64[np.ndarray, " i"]
    first: Float64[np.ndarray, " i"]
    second: Float64[np.ndarray, " i"]


def paired_accuracies(first: ImageAccuracies, second: ImageAccuracies) -> PairedAccuracies:
    """The accuracies of the images that two conditions have in common."""
    images, a, b = np.intersect1d(
        first.images, second.images, assume_unique=True, return_indices=True
    )
    return PairedAccuracies(images, first.accuracies[a], second.accuracies[b])
