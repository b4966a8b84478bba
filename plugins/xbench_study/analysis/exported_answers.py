"""Rows of an export, one for each option of a rating, as answers."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from xbench_study.analysis.answers import Answers

if TYPE_CHECKING:
    from xbench_study.answers.export import AnswerRow

RATED = ("rated", "cannot-tell")
"""Replies of which each option has a row of its own."""


def answers_of(rows: "Iterable[AnswerRow]") -> Answers:
    """The answers of an export, one line each, in its order."""
    groups = [list(of) for _, of in groupby(rows, lambda row: (row.participant, row.position))]
    first = [group[0] for group in groups]
    return Answers(
        participants=_objects([row.participant for row in first]),
        conditions=_objects([row.condition for row in first]),
        items=_objects([row.item for row in first]),
        images=np.array([row.image for row in first], dtype=np.int64),
        categories=_objects([row.category for row in first]),
        kinds=_objects([row.kind for row in first]),
        chosen=_objects([tuple(_chosen(row)) for row in first]),
        unsure=np.array([row.reply == "unsure" for row in first], dtype=bool),
        skipped=np.array([row.reply == "skipped" for row in first], dtype=bool),
        ratings=_objects([_ratings(group) for group in groups]),
        right=np.array([_right(row) for row in first], dtype=np.float64),
        seconds=np.array(
            [np.nan if row.seconds is None else row.seconds for row in first], dtype=np.float64
        ),
        excluded=_objects([row.excluded for row in first]),
    )


def _chosen(row: "AnswerRow") -> Sequence[str]:
    return row.option.split() if row.reply == "chosen" else ()


def _ratings(rows: "Sequence[AnswerRow]") -> Mapping[str, int | None]:
    return {row.option: row.degree for row in rows if row.reply in RATED}


def _right(row: "AnswerRow") -> float:
    return np.nan if row.right is None or row.reply == "skipped" else float(row.right)


def _objects(values: Sequence[object]) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
