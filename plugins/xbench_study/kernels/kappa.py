"""Kappas: agreement of a fixed number of people for each unit, and of two annotators."""

import numpy as np
from jaxtyping import Float64, Int64


def fleiss_kappa(counts: Int64[np.ndarray, "units values"]) -> float:
    """Fleiss' kappa (1971) of how many people gave each unit each value.

    NaN where all values are the same or there are no units; ValueError where units differ in how
    many people judged them, or have fewer than two: Krippendorff's alpha allows that.
    """
    people = counts.sum(1)
    if not len(counts):
        return float("nan")
    if (people != people[0]).any() or people[0] < 2:
        raise ValueError(
            f"units have {people.min()} to {people.max()} judgements; Fleiss' kappa needs the same "
            "number, at least 2, for each"
        )
    n = people[0]
    observed = ((counts**2).sum(1) - n) / (n * (n - 1))
    shares = counts.sum(0) / counts.sum()
    return _beyond_chance(float(observed.mean()), float(shares @ shares))


def cohen_kappa(
    first: Int64[np.ndarray, " units"], second: Int64[np.ndarray, " units"], values: int
) -> float:
    """Cohen's kappa (1960) of two annotators; units that either left out (−1) do not count.

    NaN where both gave one value alone, or have no unit in common.
    """
    both = (first >= 0) & (second >= 0)
    if not both.any():
        return float("nan")
    a, b = (_shares(of[both], values) for of in (first, second))
    return _beyond_chance(float((first[both] == second[both]).mean()), float(a @ b))


def _shares(labels: Int64[np.ndarray, " units"], values: int) -> Float64[np.ndarray, " values"]:
    return np.bincount(labels, minlength=values) / len(labels)


def _beyond_chance(observed: float, expected: float) -> float:
    return float("nan") if expected >= 1 else (observed - expected) / (1 - expected)
