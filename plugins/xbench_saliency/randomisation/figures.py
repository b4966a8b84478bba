"""Pictures of the randomisation protocol: similarity against what of the network is random."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from xbench import Band, Drawing, Draws, Resampling, Role, Rows, band
from xbench.figures import (
    HEADING,
    INK,
    ORDER,
    SMALL,
    WIDE,
    Curve,
    blank_figure,
    draw_curves,
    legend,
    level_words,
    number_words,
    shortened,
    style_axes,
)
from xbench_saliency.randomisation.rows import MEASURES, Curves, curves
from xbench_saliency.randomisation.stages import CASCADES, Order, Step
from xbench_saliency.randomisation.summary import NOTHING

HEIGHT = 4.6
LETTERS = 18
"""Of the name of a stage below an axis."""
TITLES: Mapping[str, str] = {
    "top": "From the top",
    "bottom": "From the bottom",
    "single": "One stage alone",
}
CAPTION = (
    "Rank correlation of maps with the trained network's maps of the same class, against the "
    "stage that became random last. The first point is the trained network explained once more. "
    "Bands are {level} intervals over images. No curve wins: a map drawn at random lies at 0, and "
    "an edge detector at 1."
)


class Line(NamedTuple):
    """One line of the benchmark with its curves, repeat after repeat."""

    label: str
    role: Role
    repeats: tuple[Curves, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The same in every repeat."""
        return self.repeats[0].steps


def figures(
    rows: Mapping[str, Sequence[Rows]], roles: Mapping[str, Role], resampling: Resampling
) -> dict[str, Drawing]:
    """Each measure in a picture of three panels; only of lines that randomise the same stages."""
    labels = sorted(rows, key=lambda label: ORDER.index(roles[label]))
    every = [Line(label, roles[label], tuple(map(curves, rows[label]))) for label in labels]
    lines = [line for line in every if line.steps and line.steps == every[0].steps]
    if not lines:
        return {}
    draws = Draws(resampling)
    return {name.replace(" ", "-"): _drawing(name, lines, draws) for name in MEASURES}


def _drawing(measure: str, lines: Sequence[Line], draws: Draws) -> Drawing:
    figure = blank_figure(WIDE, HEIGHT, laid_out=True)
    axes = figure.subplots(1, len(CASCADES), sharey=True)
    words = [
        _panel(ax, order, measure, lines, draws) for ax, order in zip(axes, CASCADES, strict=True)
    ]
    axes[0].set_ylabel(f"{measure.capitalize()} (rank correlation)", color=INK)
    legend(figure, *axes, below=True)
    caption = CAPTION.format(level=level_words(draws.resampling))
    title = f"{measure.capitalize()} to the trained network's maps"
    return Drawing(figure, title, caption, " ".join(words))


def _panel(ax: Axes, order: Order, measure: str, lines: Sequence[Line], draws: Draws) -> str:
    """The curves of one order; what they are in words."""
    orders = ("none", order)
    names = [step.name or NOTHING for step in lines[0].steps if step.order in orders]
    across = np.arange(len(names), dtype=np.float64)
    drawn = [
        Curve(line.label, line.role, across, _band(line, measure, orders, draws)) for line in lines
    ]
    draw_curves(ax, drawn)
    style_axes(ax)
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set_title(TITLES[order], color=INK, fontsize=HEADING)
    labels = [shortened(name, LETTERS) for name in names]
    ax.set_xticks(across, labels, rotation=60, ha="right", rotation_mode="anchor", fontsize=SMALL)
    for text in ax.get_xticklabels():
        text.set_parse_math(False)
    return _in_words(order, names, drawn)


def _band(line: Line, measure: str, orders: Sequence[str], draws: Draws) -> Band:
    cases = np.concatenate([of.cases for of in line.repeats])
    return band(cases, np.concatenate([of.of(measure, *orders) for of in line.repeats]), draws)


def _in_words(order: Order, names: Sequence[str], drawn: Sequence[Curve]) -> str:
    texts = [
        f"{curve.label}: {', '.join(number_words(value, 2) for value in curve.band.values)}"
        for curve in drawn
    ]
    return f"{TITLES[order]} ({', '.join(names)}): {'; '.join(texts)}."
