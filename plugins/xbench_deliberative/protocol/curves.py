"""Curves over coverages: what the paper's Figure 2 shows, with interval bands."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, MultipleLocator

from xbench import Band, Drawing, Draws, Resampling, Role, Rows, band
from xbench_deliberative.protocol.rows import COVERAGES
from xbench_deliberative.protocol.summary import REPORTED, Scoring, per_image

PERCENT = np.array([round(100 * coverage) for coverage in COVERAGES])
MARKED = [int(np.flatnonzero(percent == PERCENT)[0]) for percent in REPORTED]
"""Where curves have markers: the coverages of the table."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#B8860B", "#56B4E9")
ENTRY_DASHES = ("solid", (0, (7, 1.2)), (0, (5, 1, 1.2, 1)), (0, (3, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
FLOOR_MARKERS = ("x", "+", "1", "2", "|")
DASHES = ((6, 2), (2, 1.5), (6, 1.5, 1, 1.5), (3, 1.5, 1, 1.5, 1, 1.5), (10, 3))
GREYS = ("#3f3f3f", "#707070", "#8a8a8a")
INK, GRID = "#222222", "#e4e4e4"
WIDTH, HEIGHT, LEGEND_LINE = 7.4, 4.4, 0.21
"""Inches."""
DOMINANT = 3.0
"""How many times as high as all else a ceiling may be and still decide the frame."""


class Curve(NamedTuple):
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
    level = f"{resampling.level:.0%}".replace("%", " %")
    made = {name: _against_coverage(name, curves, level) for name in scoring.measures}
    if {"precision", "recall"}.issubset(scoring.measures):
        return {"precision-recall": _precision_recall(curves, level), **made}
    return made


def curves_of(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    scoring: Scoring,
    resampling: Resampling,
) -> list[Curve]:
    """The curves of all labels, entries first, then ceilings, then floors."""
    draws = Draws(resampling)
    curves = [
        Curve(label, roles[label], {m: _band(repeats, scoring, m, draws) for m in scoring.measures})
        for label, repeats in rows.items()
    ]
    order: tuple[Role, ...] = ("entry", "ceiling", "floor")
    return sorted(curves, key=lambda curve: order.index(curve.role))


def _band(repeats: Sequence[Rows], scoring: Scoring, measure: str, draws: Draws) -> Band:
    images = [per_image(table, scoring, measure) for table in repeats]
    cases = np.concatenate([image.cases for image in images])
    return band(cases, np.concatenate([image.values for image in images]), draws)


def _against_coverage(measure: str, curves: Sequence[Curve], level: str) -> Drawing:
    name = "IoU" if measure == "iou" else measure.capitalize()
    figure, ax = _canvas(len(curves), "Coverage of the image (%)", f"{name} (%)")
    for curve, style in zip(curves, styles(curves), strict=True):
        middle, low, high = (100 * values for values in curve.bands[measure])
        ax.fill_between(PERCENT, low, high, **_shade(curve, style))
        ax.plot(PERCENT, middle, **style)
    ax.set_xlim(0, PERCENT[-1])
    top = _top(curves, measure)
    ax.set_ylim(0, top)
    ax.xaxis.set_major_locator(MultipleLocator(10))
    _legend(figure, ax)
    caption = (
        f"{name} of regions that cover 1 to 90 % of the image. Bands are {level} intervals over "
        f"images; markers stand at the coverages of the table."
    )
    if top is not None:
        caption += " The ceiling goes on above the frame."
    return Drawing(figure, f"{name} against coverage", caption, _in_words([measure], curves))


def _top(curves: Sequence[Curve], measure: str) -> float | None:
    """Where the frame ends, in per cent, if a ceiling would press all else to the ground."""
    highest = {
        ceiling: max(_highest(c.bands[measure]) for c in curves if (c.role == "ceiling") == ceiling)
        for ceiling in {c.role == "ceiling" for c in curves}
    }
    others = highest.get(False, 0.0)
    return 110 * others if 0 < others * DOMINANT < highest.get(True, 0.0) else None


def _highest(band: Band) -> float:
    return float(np.max(band.high, initial=0.0, where=~np.isnan(band.high)))


def _precision_recall(curves: Sequence[Curve], level: str) -> Drawing:
    figure, ax = _canvas(len(curves), "Recall (%)", "Precision (%)")
    for curve, style in zip(curves, styles(curves), strict=True):
        recall = Band(*(100 * values for values in curve.bands["recall"]))
        precision = Band(*(100 * values for values in curve.bands["precision"]))
        ax.fill_between(recall.values, precision.low, precision.high, **_shade(curve, style))
        ax.plot(recall.values, precision.values, **style)
        if curve.role == "entry":
            at, colour = MARKED, style["color"]
            ends = recall.low[at], recall.high[at]
            ax.hlines(precision.values[at], *ends, colors=colour, linewidths=1, alpha=0.7)
    ax.set_xlim(0, 102)
    ax.set_ylim(bottom=0)
    _legend(figure, ax)
    caption = (
        f"One point for each coverage from 1 to 90 % of the image. Bands are {level} intervals of "
        f"precision over images; markers stand at 10, 20, 30, 40 and 50 % coverage, with "
        f"intervals of recall across them."
    )
    words = _in_words(["precision", "recall"], curves)
    return Drawing(figure, "Precision against recall", caption, words)


def _canvas(lines: int, across: str, upwards: str) -> tuple[Figure, Axes]:
    height = max(HEIGHT, 0.8 + 2 * LEGEND_LINE * lines)
    figure = Figure(figsize=(WIDTH, height), facecolor="white", layout="constrained")
    ax = figure.add_subplot()
    ax.set_xlabel(across, color=INK)
    ax.set_ylabel(upwards, color=INK)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10]))
    ax.grid(color=GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(colors=INK, length=3)
    return figure, ax


def styles(curves: Iterable[Curve]) -> list[dict[str, Any]]:
    """How each line is drawn: told apart by markers and dashes, not by colour alone."""
    seen: dict[Role, int] = {"entry": 0, "floor": 0, "ceiling": 0}
    made = []
    for curve in curves:
        place = seen[curve.role]
        seen[curve.role] += 1
        label = curve.label if curve.role == "entry" else f"{curve.label} ({curve.role})"
        made.append({"label": fill(label, 28), **_style(curve.role, place)})
    return made


def _style(role: Role, place: int) -> dict[str, Any]:
    if role == "ceiling":
        dots = {"linewidth": 1.6, "linestyle": (0, (1, 1.6 + place))}
        return {"color": INK, "zorder": 3, **dots, **_marks("*", 9, INK)}
    if role == "floor":
        grey, marker = GREYS[place % len(GREYS)], FLOOR_MARKERS[place % len(FLOOR_MARKERS)]
        dashes = {"linewidth": 1.1, "linestyle": (0, DASHES[place % len(DASHES)])}
        return {"color": grey, "zorder": 2, **dashes, **_marks(marker, 5.5, grey)}
    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    dashes = {"linewidth": 2.2, "linestyle": ENTRY_DASHES[place % len(ENTRY_DASHES)]}
    return {"color": colour, "zorder": 4, **dashes, **_marks(marker, 6.5, "white")}


def _marks(marker: str, size: float, edge: str) -> dict[str, Any]:
    return {"marker": marker, "markevery": MARKED, "markersize": size, "markeredgecolor": edge}


def _shade(curve: Curve, style: Mapping[str, Any]) -> dict[str, Any]:
    alpha = 0.22 if curve.role == "entry" else 0.10
    return {"color": style["color"], "alpha": alpha, "linewidth": 0, "zorder": style["zorder"] - 2}


def _legend(figure: Figure, ax: Axes) -> None:
    """Beside the axes, where it covers no line."""
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside right upper",
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=3.2,
    )


def _in_words(measures: Sequence[str], curves: Sequence[Curve]) -> str:
    """The values at the marked coverages, line by line."""
    at = ", ".join(map(str, REPORTED))
    lines = [
        f"{curve.label}: {measure} "
        + ", ".join(_percent(curve.bands[measure].values[place]) for place in MARKED)
        for curve in curves
        for measure in measures
    ]
    return f"Values in per cent at {at} % coverage. " + "; ".join(lines) + "."


def _percent(value: float) -> str:
    return "none" if np.isnan(value) else f"{100 * value:.1f}"
