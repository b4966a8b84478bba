"""Counts of labels: how many people took each image for each class."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64


def label_counts(
    images: Int64[np.ndarray, " n"],
    labels: Int64[np.ndarray, " n"],
    ids: Sequence[int],
    classes: int,
) -> Int64[np.ndarray, "images classes"]:
    """Counts in the order of `ids`; images that are none of them do not count, nor labels −1."""
    counts = np.zeros((len(ids), classes), dtype=np.int64)
    places = {image: place for place, image in enumerate(ids)}
    rows = np.array([places.get(int(image), -1) for image in images], dtype=np.int64)
    kept = (rows >= 0) & (labels >= 0)
    np.add.at(counts, (rows[kept], labels[kept]), 1)
    return counts
