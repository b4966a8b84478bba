"""What a classifier from elsewhere takes the images of a split for."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

Matching = Literal["ids", "labels", "assumed"]
"""How it is known which image a prediction is of."""


@dataclass(frozen=True, eq=False)
class SplitPredictions:
    """Predictions for all images of a split, in the order of its ids."""

    digest: str
    """SHA-256 of the file."""
    matching: Matching
    labels: Int64[np.ndarray, " n"]
    """Of the dataset, not of the file."""
    predicted: Int64[np.ndarray, " n"]
    probabilities: Float64[np.ndarray, "n classes"] | None
    """In the order of the dataset's classes; None where the file has predictions alone."""
    log_probabilities: Float64[np.ndarray, "n classes"] | None = None
    """None there, too; of a probability of 0 that of `smallest`."""
    zeros: int = 0
    """Images for which the file gives a probability of 0 to some class."""
    smallest: float = 0.0
    """The smallest positive number of the file's type, which stands for 0."""

    @property
    def probability(self) -> Float64[np.ndarray, " n"]:
        """Of the predicted class; NaN where the file has predictions alone."""
        return self._probability_of(self.predicted)

    @property
    def true_probability(self) -> Float64[np.ndarray, " n"]:
        """Of the true class; NaN where the file has predictions alone."""
        return self._probability_of(self.labels)

    def _probability_of(self, classes: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
        if self.probabilities is None:
            return np.full(len(classes), np.nan)
        return self.probabilities[np.arange(len(classes)), classes]
