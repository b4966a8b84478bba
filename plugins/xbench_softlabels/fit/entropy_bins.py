"""Fixed bins of how much people disagree: the same for all entries and all benchmarks."""

import numpy as np
from jaxtyping import Float64, Int64

EDGES = (0.125, 0.25, 0.5, 1.0)
"""Nats. One of fifty who disagrees makes 0.1, two 0.17; an even split of two classes 0.69."""
NAMES = ("0", *(f"to {edge:g}" for edge in EDGES), f"above {EDGES[-1]:g}")
"""Images on which all agree have a bin of their own; an edge belongs to the bin below it."""


def entropy_bins(entropies: Float64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    """The number of each image's bin."""
    above = 1 + np.searchsorted(EDGES, entropies, side="left")
    return np.where(entropies <= 0, 0, above)
