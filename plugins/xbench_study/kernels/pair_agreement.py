"""Agreement on pairs: who names the same two of several options, in either order."""

from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int64

UNSURE = -1
"""Instead of a pair: "don't know"."""


class Agreements(NamedTuple):
    """Pairs of people who answered the same item, and whether they agree."""

    items: Int64[np.ndarray, " p"]
    agree: Bool[np.ndarray, " p"]
    answers: Int64[np.ndarray, "p 2"]
    """Which two of the answers are compared."""


class Majorities(NamedTuple):
    """Items, and the pair that more than half of their answers name, or `UNSURE` for none."""

    items: Int64[np.ndarray, " i"]
    pairs: Int64[np.ndarray, " i"]


def chance(options: int) -> float:
    """How often two people who guess name the same pair: 10 % of five options."""
    return 1 / comb(options, 2)


def pair_numbers(
    first: Int64[np.ndarray, " n"], second: Int64[np.ndarray, " n"], options: int
) -> Int64[np.ndarray, " n"]:
    """A number for each unordered pair of different options, `UNSURE` where either is −1."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.where(low < 0, UNSURE, low * options + high)


def agreements(
    items: Int64[np.ndarray, " n"], pairs: Int64[np.ndarray, " n"], *, with_unsure: bool = True
) -> Agreements:
    """Every two answers to an item once.

    "Don't know" agrees with nothing, itself included; without it those answers are left out.
    """
    kept = (pairs != UNSURE) | with_unsure
    both = [
        pair
        for item in np.unique(items)
        for pair in combinations(np.flatnonzero((items == item) & kept), 2)
    ]
    answers = np.array(both, dtype=np.int64).reshape(-1, 2)
    first, second = pairs[answers].T
    return Agreements(items[answers[:, 0]], (first == second) & (first != UNSURE), answers)


def majorities(
    items: Int64[np.ndarray, " n"], pairs: Int64[np.ndarray, " n"], *, with_unsure: bool = True
) -> Majorities:
    """Whether more than half of the answers to an item name one pair, and which."""
    kept = (pairs != UNSURE) | with_unsure
    items, pairs = items[kept], pairs[kept]
    unique = np.unique(items)
    most = [_majority(pairs[items == item]) for item in unique]
    return Majorities(unique, np.array(most, dtype=np.int64))


def _majority(pairs: Int64[np.ndarray, " n"]) -> int:
    named, counts = np.unique(pairs[pairs != UNSURE], return_counts=True)
    winner = named[2 * counts > len(pairs)]
    return int(winner[0]) if len(winner) else UNSURE
