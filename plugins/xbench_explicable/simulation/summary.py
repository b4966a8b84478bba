"""Scores of the loss-simulation protocol: where a loss rises, and where it falls."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float64, Shaped

from xbench import CaseScores, Tree, Unit, case_places

ROUNDING = 1e-12
"""Differences up to here are rounding: cross-entropy does not change along a column."""


RISES, FALLS, DROP = "rises towards far", "falls towards correct", "drop towards correct"
"""Names of scores: shares of steps, and by how much the loss falls."""


class Column(NamedTuple):
    """All predictions with one probability of the correct class, the far one growing."""

    correct: float
    cases: Shaped[np.ndarray, " points"]
    close: Float64[np.ndarray, " points"]
    far: Float64[np.ndarray, " points"]
    loss: Float64[np.ndarray, " points"]

    def rises(self) -> Bool[np.ndarray, " steps"]:
        """Whether the loss grows as probability moves on from the close to the far class."""
        return np.diff(self.loss) > ROUNDING

    def ahead(self) -> Bool[np.ndarray, " steps"]:
        """Whether the far class, before a step, beats the close one after it (p_b > p_a)."""
        return self.far[:-1] > self.close[1:]


def loss_columns(table: pa.Table) -> list[Column]:
    """The rows by the probability of the correct class, growing; repeats are all the same."""
    cases = case_places(table)
    _, first = np.unique(cases.places, return_index=True)
    numbers = ("p_correct", "p_close", "p_far", "loss")
    frame = {"case": cases.names, **{name: table[name].to_numpy()[first] for name in numbers}}
    columns = []
    for correct in np.unique(frame["p_correct"]):
        rows = np.flatnonzero(frame["p_correct"] == correct)
        rows = rows[np.argsort(frame["p_far"][rows])]
        names = ("case", "p_close", "p_far", "loss")
        columns.append(Column(float(correct), *(frame[name][rows] for name in names)))
    return columns


def entry_scores(table: pa.Table) -> list[CaseScores]:
    """A step is scored as the prediction it begins at; the last of a column begins none."""
    columns = loss_columns(table)
    scores, ahead = [], []
    for column in columns:
        cases, rises = column.cases[:-1], column.rises()
        scores.append(_score(f"{RISES}@{column.correct:g}", [_Part(cases, rises)]))
        ahead.append(_Part(cases[column.ahead()], rises[column.ahead()]))
    return [
        _joined_score(f"average {RISES}", scores, headline=True),
        *scores,
        _score(f"{RISES} where far is ahead", ahead),
        *_scores_towards_correct(columns),
    ]


def _scores_towards_correct(columns: Sequence[Column]) -> Iterator[CaseScores]:
    """How the loss changes to the next column, the rest being divided in the same way."""
    falls, drops = [], []
    for column, following in pairwise(columns):
        count = min(len(column.cases), len(following.cases))
        differences = column.loss[:count] - following.loss[:count]
        suffix = f"@{column.correct:g} to {following.correct:g}"
        cases = column.cases[:count]
        falls.append(_score(f"{FALLS}{suffix}", [_Part(cases, differences > ROUNDING)]))
        drops.append(_score(f"{DROP}{suffix}", [_Part(cases, differences)], "number"))
    for name, scores in ((FALLS, falls), (DROP, drops)):
        if scores:
            yield _joined_score(f"average {name}", scores, headline=name == FALLS)
            yield from scores


class _Part(NamedTuple):
    """Values of one column."""

    cases: Shaped[np.ndarray, " n"]
    values: np.ndarray


def _score(name: str, parts: Sequence[_Part], unit: Unit = "share") -> CaseScores:
    values = np.concatenate([part.values for part in parts]).astype(np.float64)
    return CaseScores(name, "higher", np.concatenate([p.cases for p in parts]), values, unit=unit)


def _joined_score(name: str, scores: Sequence[CaseScores], *, headline: bool = False) -> CaseScores:
    parts = [_Part(score.cases, score.values) for score in scores]
    return replace(_score(name, parts, scores[0].unit), headline=headline)


def entry_notes(table: pa.Table) -> Tree:
    """Which share of the rest the far class has where the loss is smallest, column by column."""
    shares = {}
    for column in loss_columns(table):
        share = column.far / (1 - column.correct)
        is_flat = float(np.ptp(column.loss)) <= ROUNDING
        shares[f"{column.correct:g}"] = None if is_flat else float(share[column.loss.argmin()])
    return {"smallest_where_far_has": shares}
