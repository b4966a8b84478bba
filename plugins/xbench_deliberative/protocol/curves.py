"""Curves over coverages: what the paper's Figure 2 shows, with interval bands."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.ticker import MultipleLocator

from xbench import Band, Drawing, Draws, Resampling, Role, Rows, band
from xbench.figures import (
    ORDER,
    Curve,
    chart,
    draw_curves,
    legend,
    level_words,
    number_words,
    percent,
)
from xbench_deliberative.protocol.rows import COVERAGES
from xbench_deliberative.protocol.summary import REPORTED, Scoring, per_image

PERCENT = np.array([round(100 * coverage) for coverage in COVERAGES])
MARKED = [int(np.flatnonzero(coverage == PERCENT)[0]) for coverage in REPORTED]
"""Where curves have markers: the coverages of the table."""

DOMINANT = 3.0
"""How many times as high as all else a ceiling may be and still decide the frame."""


class Line(NamedTuple):
    """One line of a benchmark: its measures over all coverages, as shares."""

    label: str
    role: Role
    bands: Mapping[str, Band]


def figures(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    scoring: Scoring,
    resampling: Resampling,
) -> dict[str, Drawing]:
    """Every measure against coverage; precision against recall, first, where they are measured."""
    lines = lines_of(rows, roles, scoring, resampling)
    level = level_words(resampling)
    drawings = {name: _against_coverage(name, lines, level) for name in scoring.measures}
    if {"precision", "recall"}.issubset(scoring.measures):
        return {"precision-recall": _precision_recall(lines, level), **drawings}
    return drawings


def lines_of(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    scoring: Scoring,
    resampling: Resampling,
) -> list[Line]:
    """The lines of all labels, entries first, then ceilings, then floors."""
    draws = Draws(resampling)
    lines = []
    for label, repeats in rows.items():
        bands = {name: _band(repeats, scoring, name, draws) for name in scoring.measures}
        lines.append(Line(label, roles[label], bands))
    return sorted(lines, key=lambda line: ORDER.index(line.role))


def _band(repeats: Sequence[Rows], scoring: Scoring, measure: str, draws: Draws) -> Band:
    images = [per_image(table, scoring, measure) for table in repeats]
    cases = np.concatenate([image.cases for image in images])
    return band(cases, np.concatenate([image.values for image in images]), draws)


def _against_coverage(measure: str, lines: Sequence[Line], level: str) -> Drawing:
    name = "IoU" if measure == "iou" else measure.capitalize()
    figure, ax = chart("Coverage of the image (%)", f"{name} (%)", lines=len(lines))
    curves = [Curve(line.label, line.role, PERCENT, percent(line.bands[measure])) for line in lines]
    draw_curves(ax, curves, marked=MARKED)
    ax.set_xlim(0, PERCENT[-1])
    top = _top(lines, measure)
    ax.set_ylim(0, top)
    ax.xaxis.set_major_locator(MultipleLocator(10))
    legend(figure, ax)
    caption = (
        f"{name} of regions that cover 1 to 90 % of the image. Bands are {level} intervals over "
        f"images; markers stand at the coverages of the table."
    )
    if top is not None:
        caption += " The ceiling goes on above the frame."
    return Drawing(figure, f"{name} against coverage", caption, _in_words([measure], lines))


def _top(lines: Sequence[Line], measure: str) -> float | None:
    """Where the frame ends, in per cent, if a ceiling would press all else to the ground."""
    highest = {
        ceiling: max(
            _highest(line.bands[measure]) for line in lines if (line.role == "ceiling") == ceiling
        )
        for ceiling in {line.role == "ceiling" for line in lines}
    }
    others = highest.get(False, 0.0)
    return 110 * others if 0 < others * DOMINANT < highest.get(True, 0.0) else None


def _highest(band: Band) -> float:
    return float(np.max(band.high, initial=0.0, where=~np.isnan(band.high)))


def _precision_recall(lines: Sequence[Line], level: str) -> Drawing:
    figure, ax = chart("Recall (%)", "Precision (%)", lines=len(lines))
    recalls = [percent(line.bands["recall"]) for line in lines]
    curves = [
        Curve(line.label, line.role, recall.values, percent(line.bands["precision"]))
        for line, recall in zip(lines, recalls, strict=True)
    ]
    looks = draw_curves(ax, curves, marked=MARKED)
    for curve, recall, look in zip(curves, recalls, looks, strict=True):
        if curve.role == "entry":
            at = curve.band.values[MARKED]
            ends = recall.low[MARKED], recall.high[MARKED]
            ax.hlines(at, *ends, colors=look.colour, linewidths=1, alpha=0.7)
    ax.set_xlim(0, 102)
    ax.set_ylim(bottom=0)
    legend(figure, ax)
    caption = (
        f"One point for each coverage from 1 to 90 % of the image. Bands are {level} intervals of "
        f"precision over images; markers stand at 10, 20, 30, 40 and 50 % coverage, with "
        f"intervals of recall across them."
    )
    words = _in_words(["precision", "recall"], lines)
    return Drawing(figure, "Precision against recall", caption, words)


def _in_words(measures: Sequence[str], lines: Sequence[Line]) -> str:
    """The values at the marked coverages, line by line."""
    at = ", ".join(map(str, REPORTED))
    texts = [
        f"{line.label}: {measure} "
        + ", ".join(number_words(100 * line.bands[measure].values[place]) for place in MARKED)
        for line in lines
        for measure in measures
    ]
    return f"Values in per cent at {at} % coverage. " + "; ".join(texts) + "."
