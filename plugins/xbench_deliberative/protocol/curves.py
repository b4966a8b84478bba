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
MARKED = [int(np.flatnonzero(percent == PERCENT)[0]) for percent in REPORTED]
"""Where curves have markers: the coverages of the table."""

DOMINANT = 3.0
"""How many times as high as all else a ceiling may be and still decide the frame."""


class Line(NamedTuple):
    """One line of a benchmark: its measures over all coverages, as shares."""

    label: str
    role: Role
    bands: Mapping[str, Band]


def drawn(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    scoring: Scoring,
    resampling: Resampling,
) -> dict[str, Drawing]:
    """Every measure against coverage; precision against recall, first, where they are measured."""
    curves = curves_of(rows, roles, scoring, resampling)
    level = level_words(resampling)
    made = {name: _against_coverage(name, curves, level) for name in scoring.measures}
    if {"precision", "recall"}.issubset(scoring.measures):
        return {"precision-recall": _precision_recall(curves, level), **made}
    return made


def curves_of(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    scoring: Scoring,
    resampling: Resampling,
) -> list[Line]:
    """The curves of all labels, entries first, then ceilings, then floors."""
    draws = Draws(resampling)
    curves = [
        Line(label, roles[label], {m: _band(repeats, scoring, m, draws) for m in scoring.measures})
        for label, repeats in rows.items()
    ]
    return sorted(curves, key=lambda curve: ORDER.index(curve.role))


def _band(repeats: Sequence[Rows], scoring: Scoring, measure: str, draws: Draws) -> Band:
    images = [per_image(table, scoring, measure) for table in repeats]
    cases = np.concatenate([image.cases for image in images])
    return band(cases, np.concatenate([image.values for image in images]), draws)


def _against_coverage(measure: str, curves: Sequence[Line], level: str) -> Drawing:
    name = "IoU" if measure == "iou" else measure.capitalize()
    figure, ax = chart("Coverage of the image (%)", f"{name} (%)", lines=len(curves))
    shown = [Curve(c.label, c.role, PERCENT, percent(c.bands[measure])) for c in curves]
    draw_curves(ax, shown, marked=MARKED)
    ax.set_xlim(0, PERCENT[-1])
    top = _top(curves, measure)
    ax.set_ylim(0, top)
    ax.xaxis.set_major_locator(MultipleLocator(10))
    legend(figure, ax)
    caption = (
        f"{name} of regions that cover 1 to 90 % of the image. Bands are {level} intervals over "
        f"images; markers stand at the coverages of the table."
    )
    if top is not None:
        caption += " The ceiling goes on above the frame."
    return Drawing(figure, f"{name} against coverage", caption, _in_words([measure], curves))


def _top(curves: Sequence[Line], measure: str) -> float | None:
    """Where the frame ends, in per cent, if a ceiling would press all else to the ground."""
    highest = {
        ceiling: max(_highest(c.bands[measure]) for c in curves if (c.role == "ceiling") == ceiling)
        for ceiling in {c.role == "ceiling" for c in curves}
    }
    others = highest.get(False, 0.0)
    return 110 * others if 0 < others * DOMINANT < highest.get(True, 0.0) else None


def _highest(band: Band) -> float:
    return float(np.max(band.high, initial=0.0, where=~np.isnan(band.high)))


def _precision_recall(curves: Sequence[Line], level: str) -> Drawing:
    figure, ax = chart("Recall (%)", "Precision (%)", lines=len(curves))
    recalls = [percent(curve.bands["recall"]) for curve in curves]
    shown = [
        Curve(curve.label, curve.role, recall.values, percent(curve.bands["precision"]))
        for curve, recall in zip(curves, recalls, strict=True)
    ]
    looks = draw_curves(ax, shown, marked=MARKED)
    for curve, recall, look in zip(shown, recalls, looks, strict=True):
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
    words = _in_words(["precision", "recall"], curves)
    return Drawing(figure, "Precision against recall", caption, words)


def _in_words(measures: Sequence[str], curves: Sequence[Line]) -> str:
    """The values at the marked coverages, line by line."""
    at = ", ".join(map(str, REPORTED))
    lines = [
        f"{curve.label}: {measure} "
        + ", ".join(number_words(100 * curve.bands[measure].values[place]) for place in MARKED)
        for curve in curves
        for measure in measures
    ]
    return f"Values in per cent at {at} % coverage. " + "; ".join(lines) + "."
