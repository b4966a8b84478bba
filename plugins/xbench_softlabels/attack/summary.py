"""From rows to scores: accuracy and cross-entropy under each attack."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from jaxtyping import Shaped

from xbench import CaseScores, Tree, case_places
from xbench_softlabels.attack.outcome import Strength
from xbench_softlabels.attack.rows import (
    CLEAN,
    CLIMB,
    FLAT,
    LOSS,
    RIGHT,
    SATURATED,
    SIGN,
    column,
    numbers,
)

ACCURACY, CROSS_ENTROPY = "accuracy", "cross-entropy"
WITHSTOOD = f"{ACCURACY}@{CLIMB} mean"
"""The score that ranks: accuracy under PGD, averaged over its radii."""


def case_names(table: pa.Table) -> Shaped[np.ndarray, " images"]:
    """The names of the cases, row by row."""
    names, places = case_places(table)
    return names[places]


def case_scores(table: pa.Table, strength: Strength) -> Sequence[CaseScores]:
    """Accuracy under PGD over its radii, which ranks; then each attack at each radius."""
    cases = case_names(table)
    right = [numbers(table, column(CLIMB, radius, RIGHT)) for radius in strength.climbed]
    withstood = np.mean(right, 0) if len(table) else np.zeros(0)
    return [
        CaseScores(WITHSTOOD, "higher", cases, withstood, headline=True, ranking=True),
        *_pair(table, cases, CLEAN),
        *_at_radii(table, cases, SIGN, strength.radii),
        *_at_radii(table, cases, CLIMB, strength.climbed),
    ]


def _at_radii(
    table: pa.Table, cases: np.ndarray, attack: str, radii: Sequence[float]
) -> Iterator[CaseScores]:
    for radius in radii:
        yield from _pair(table, cases, f"{attack} {radius:g}")


def _pair(table: pa.Table, cases: np.ndarray, where: str) -> list[CaseScores]:
    """Accuracy and cross-entropy without an attack, or under one."""
    right, losses = (numbers(table, f"{where} {what}") for what in (RIGHT, LOSS))
    return [
        CaseScores(f"{ACCURACY}@{where}", "higher", cases, right),
        CaseScores(f"{CROSS_ENTROPY}@{where}", "lower", cases, losses, unit="number"),
    ]


def table_notes(table: pa.Table) -> Tree:
    """How many images there are, of which gradients fail in single precision, or are all zero.

    Of some network, where images meet several.
    """
    cases = case_names(table)
    marks = {"images_with_vanished_gradient": SATURATED, "images_without_gradient": FLAT}
    counts = {name: _images(cases[numbers(table, mark) > 0]) for name, mark in marks.items()}
    return {"images": _images(cases), **counts}


def _images(cases: Shaped[np.ndarray, " rows"]) -> int:
    return len(set(cases.tolist()))
