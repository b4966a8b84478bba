"""From curves to scores: areas under them, less those of random orders."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Shaped

from xbench import CaseScores, Tree, Unit, case_places
from xbench_saliency.flipping.rows import SCALES, column, curves

RANKING = "probability"


class Areas(NamedTuple):
    """Areas under an entry's curves less those of random orders, image by image."""

    deletion: Float64[np.ndarray, " images"]
    insertion: Float64[np.ndarray, " images"]

    @property
    def gain(self) -> Float64[np.ndarray, " images"]:
        """The area between the curves of least and of most relevant first."""
        return self.insertion - self.deletion


def area(values: Float64[np.ndarray, "images points"]) -> Float64[np.ndarray, " images"]:
    """The area under curves whose points are equally far apart, from 0 to 1."""
    return (values[:, 1:] + values[:, :-1]).mean(1) / 2


def areas(table: pa.Table, scale: str) -> Areas:
    """The areas in probability or in logit."""
    deletion, insertion = (
        area(curves(table, column(kind, scale)))
        - area(curves(table, column(kind, scale, "random ")))
        for kind in ("deletion", "insertion")
    )
    return Areas(deletion, insertion)


def case_names(table: pa.Table) -> Shaped[np.ndarray, " images"]:
    """The names of the cases, row by row."""
    names, places = case_places(table)
    return names[places]


def case_scores(table: pa.Table) -> Sequence[CaseScores]:
    """The gain in probability, which ranks, deletion and insertion; then the same in logits."""
    return [score for scale in SCALES for score in _scores(table, scale)]


def _scores(table: pa.Table, scale: str) -> list[CaseScores]:
    cases, values = case_names(table), areas(table, scale)
    first = scale == RANKING
    suffix = "" if first else f"@{scale}"
    unit: Unit = "points" if first else "number"
    gain = CaseScores(
        f"symmetric gain{suffix}", "higher", cases, values.gain, first, unit, 0.0, ranking=first
    )
    deletion = CaseScores(f"deletion{suffix}", "lower", cases, values.deletion, first, unit, 0.0)
    insertion = CaseScores(
        f"insertion{suffix}", "higher", cases, values.insertion, first, unit, 0.0
    )
    return [gain, deletion, insertion]


def table_notes(table: pa.Table) -> Tree:
    """How many images there are, and how many have no map of numbers."""
    unscored = np.isnan(areas(table, RANKING).gain)
    return {"images": len(table), "images_without_map": int(unscored.sum())}
