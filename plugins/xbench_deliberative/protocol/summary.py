"""From rows to scores: averages over the pairs of an image, then numbers per image."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float, Shaped

from xbench import CaseScores, Tree, case_places
from xbench_deliberative.protocol.rows import COVERAGES, NONE, curve

REPORTED = (10, 20, 30, 40, 50)
"""Coverages in per cent at which scores are reported, as in the paper's table."""


class Scoring(NamedTuple):
    """What a summary needs to know of the protocol."""

    measures: tuple[str, ...]
    empty_pairs: Literal["left-out", "zero"]
    parts: Literal["points", "masks"]


class PerImage(NamedTuple):
    """Numbers per image and coverage, NaN where there is none."""

    cases: Shaped[np.ndarray, " images"]
    values: Float[np.ndarray, "images coverages"]


def scored(table: pa.Table, scoring: Scoring) -> Sequence[CaseScores]:
    """Scores at each reported coverage and their averages, which decide; the first one ranks."""
    return [score for name in scoring.measures for score in _scores(table, scoring, name)]


def _scores(table: pa.Table, scoring: Scoring, name: str) -> list[CaseScores]:
    cases, curves = per_image(table, scoring, name)
    values = curves[:, [COVERAGES.index(percent / 100) for percent in REPORTED]]
    average = CaseScores(f"average {name}", "higher", cases, nanmean(values), headline=True)
    columns = zip(REPORTED, values.T, strict=True)
    return [average, *(CaseScores(f"{name}@{p}%", "higher", cases, v) for p, v in columns)]


def per_image(table: pa.Table, scoring: Scoring, name: str) -> PerImage:
    """A measure averaged over the pairs of each image, coverage by coverage.

    Pairs without an ambiguous visible part are left out or count as 0. Pairs whose value
    is NaN at a coverage are left out there; where none remains the image has NaN.
    """
    (cases, place), values = case_places(table), curve(table, name)
    _, first = np.unique(place, return_index=True)
    empty = without_ambiguous_part(table)
    values[empty] = np.nan if scoring.empty_pairs == "left-out" else 0.0
    known = ~np.isnan(values)
    total, count = np.zeros((2, len(cases), values.shape[1]))
    np.add.at(total, place, np.where(known, values, 0.0))
    np.add.at(count, place, known)
    means = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    order = np.argsort(first)
    return PerImage(cases[order], means[order])


def without_insecurities(table: pa.Table) -> Bool[np.ndarray, " rows"]:
    """Rows that stand for images without insecurities."""
    return table.column("rank").to_numpy() == NONE


def without_ambiguous_part(table: pa.Table) -> Bool[np.ndarray, " rows"]:
    """Pairs without an ambiguous visible part."""
    return (table.column("ambiguous_parts").to_numpy() == 0) & ~without_insecurities(table)


def nanmean(values: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, " rows"]:
    """The mean of the numbers in each row, NaN where there are none."""
    known = ~np.isnan(values)
    total, count = np.where(known, values, 0.0).sum(1), known.sum(1)
    return np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)


def noted(table: pa.Table, scoring: Scoring) -> Tree:
    """Counts of images and pairs, and of pairs without a value at each reported coverage."""
    nothing, empty = without_insecurities(table), without_ambiguous_part(table)
    scored_pairs = ~nothing & ~empty
    return {
        "images": len(case_places(table).names),
        "images_without_insecurities": int(nothing.sum()),
        "pairs": int((~nothing).sum()),
        "pairs_without_ambiguous_visible_part": int(empty.sum()),
        "empty_pairs": scoring.empty_pairs,
        "ambiguous_visible_parts_per_pair": _mean(table, "ambiguous_parts", ~nothing),
        "visible_parts_per_image": _mean(table, "visible_parts", ~nothing),
        "pairs_without_value": _unscored(table, scoring, scored_pairs),
    }


def _unscored(table: pa.Table, scoring: Scoring, rows: Bool[np.ndarray, " rows"]) -> Tree:
    """Per measure and coverage in per cent, how many of these rows have no value."""
    counts = {name: np.isnan(curve(table, name)[rows]).sum(0) for name in scoring.measures}
    return {
        name: {str(percent): int(of_name[percent - 1]) for percent in REPORTED}
        for name, of_name in counts.items()
    }


def _mean(table: pa.Table, column: str, rows: Bool[np.ndarray, " rows"]) -> float | None:
    values = table.column(column).to_numpy()[rows]
    return float(values.mean()) if len(values) else None
