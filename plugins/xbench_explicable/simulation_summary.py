"""Scores of the loss-simulation protocol: where a loss rises, and where it falls."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float64, Int64

from xbench.component import Tree
from xbench.protocol import CaseScores

NOTHING = 1e-12
"""Differences up to here are rounding: cross-entropy does not change along a column."""


class Column(NamedTuple):
    """All predictions with one probability of the correct class, the far one growing."""

    correct: float
    cases: Int64[np.ndarray, " points"]
    close: Float64[np.ndarray, " points"]
    far: Float64[np.ndarray, " points"]
    loss: Float64[np.ndarray, " points"]

    def rises(self) -> Bool[np.ndarray, " steps"]:
        """Whether the loss grows as probability moves on from the close to the far class."""
        return np.diff(self.loss) > NOTHING

    def ahead(self) -> Bool[np.ndarray, " steps"]:
        """Whether the far class, before a step, beats the close one after it (p_b > p_a)."""
        return self.far[:-1] > self.close[1:]


def columns(table: pa.Table) -> list[Column]:
    """The rows by the probability of the correct class, growing; repeats are all the same."""
    _, first = np.unique(table["case"].to_numpy(), return_index=True)
    frame = {name: table[name].to_numpy()[first] for name in table.column_names}
    found = []
    for correct in np.unique(frame["p_correct"]):
        own = np.flatnonzero(frame["p_correct"] == correct)
        own = own[np.argsort(frame["p_far"][own])]
        names = ("case", "p_close", "p_far", "loss")
        found.append(Column(float(correct), *(frame[name][own] for name in names)))
    return found


def scored(table: pa.Table) -> list[CaseScores]:
    """A step is scored as the prediction it begins at; the last of a column begins none."""
    found = columns(table)
    return [
        _of_steps("rises", found, headline=True),
        *(_of_steps(f"rises-at-{column.correct:g}", [column]) for column in found),
        _of_steps("rises-where-far-is-ahead", found, only_ahead=True),
        *(_towards_correct(found) if len(found) > 1 else ()),
    ]


def _of_steps(
    name: str, found: Sequence[Column], *, headline: bool = False, only_ahead: bool = False
) -> CaseScores:
    kept = [c.ahead() if only_ahead else np.ones(len(c.cases) - 1, bool) for c in found]
    cases = [column.cases[:-1][keep] for column, keep in zip(found, kept, strict=True)]
    values = [column.rises()[keep] for column, keep in zip(found, kept, strict=True)]
    made = np.concatenate(values).astype(np.float64)
    return CaseScores(name, "higher", np.concatenate(cases), made, headline=headline)


def _towards_correct(found: Sequence[Column]) -> Iterator[CaseScores]:
    """How the loss changes to the next column, the rest being divided in the same way."""
    cases, drops = [], []
    for column, following in pairwise(found):
        both = min(len(column.cases), len(following.cases))
        cases.append(column.cases[:both])
        drops.append(column.loss[:both] - following.loss[:both])
    known, drop = np.concatenate(cases), np.concatenate(drops)
    falls = (drop > NOTHING).astype(np.float64)
    yield CaseScores("falls-with-correct", "higher", known, falls)
    yield CaseScores("drop-with-correct", "higher", known, drop, unit="number")


def noted(table: pa.Table) -> Tree:
    """Which share of the rest the far class has where the loss is smallest, column by column."""
    lowest = {}
    for column in columns(table):
        share = column.far / (1 - column.correct)
        flat = float(np.ptp(column.loss)) <= NOTHING
        lowest[f"{column.correct:g}"] = None if flat else float(share[column.loss.argmin()])
    return {"smallest_where_far_has": lowest}
