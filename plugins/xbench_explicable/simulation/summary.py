"""Scores of the loss-simulation protocol: where a loss rises, and where it falls."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float64, Int64

from xbench import CaseScores, Tree, Unit

NOTHING = 1e-12
"""Differences up to here are rounding: cross-entropy does not change along a column."""


RISES, FALLS, DROP = "rises towards far", "falls towards correct", "drop towards correct"
"""Names of scores: shares of steps, and by how much the loss falls."""


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
    every = [_score(f"{RISES}@{c.correct:g}", [_Part(c.cases[:-1], c.rises())]) for c in found]
    ahead = [_Part(c.cases[:-1][c.ahead()], c.rises()[c.ahead()]) for c in found]
    return [
        _joined(f"average {RISES}", every, headline=True),
        *every,
        _score(f"{RISES} where far is ahead", ahead),
        *_towards_correct(found),
    ]


def _towards_correct(found: Sequence[Column]) -> Iterator[CaseScores]:
    """How the loss changes to the next column, the rest being divided in the same way."""
    falls, drops = [], []
    for column, following in pairwise(found):
        both = min(len(column.cases), len(following.cases))
        drop = column.loss[:both] - following.loss[:both]
        where = f"@{column.correct:g} to {following.correct:g}"
        cases = column.cases[:both]
        falls.append(_score(f"{FALLS}{where}", [_Part(cases, drop > NOTHING)]))
        drops.append(_score(f"{DROP}{where}", [_Part(cases, drop)], "number"))
    for name, every in ((FALLS, falls), (DROP, drops)):
        if every:
            yield _joined(f"average {name}", every)
            yield from every


class _Part(NamedTuple):
    """Values of one column."""

    cases: Int64[np.ndarray, " n"]
    values: np.ndarray


def _score(name: str, parts: Sequence[_Part], unit: Unit = "share") -> CaseScores:
    values = np.concatenate([part.values for part in parts]).astype(np.float64)
    return CaseScores(name, "higher", np.concatenate([p.cases for p in parts]), values, unit=unit)


def _joined(name: str, every: Sequence[CaseScores], *, headline: bool = False) -> CaseScores:
    parts = [_Part(score.cases, score.values) for score in every]
    return replace(_score(name, parts, every[0].unit), headline=headline)


def noted(table: pa.Table) -> Tree:
    """Which share of the rest the far class has where the loss is smallest, column by column."""
    lowest = {}
    for column in columns(table):
        share = column.far / (1 - column.correct)
        flat = float(np.ptp(column.loss)) <= NOTHING
        lowest[f"{column.correct:g}"] = None if flat else float(share[column.loss.argmin()])
    return {"smallest_where_far_has": lowest}
