"""Pictures of pixel flipping: mean curves of deletion and insertion with their bands."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float32
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xbench import Band, Drawing, Draws, Resampling, Role, Rows, band
from xbench.figures import (
    HEADING,
    INK,
    ORDER,
    WIDE,
    Curve,
    blank_figure,
    draw_curves,
    legend,
    level_words,
    number_words,
    percent,
    style_axes,
)
from xbench_saliency.flipping.rows import KINDS, SCALES, column, curves
from xbench_saliency.flipping.summary import case_names

HEIGHT, LINE = 4.4, 0.12
"""Inches: of a figure, and of each line in the legend below it."""
ACROSS = {"deletion": "Pixels replaced (%)", "insertion": "Pixels shown (%)"}
UPWARDS = {"probability": "Probability (%)", "logit": "Logit"}
TITLES = {"deletion": "Most relevant go first", "insertion": "Most relevant come first"}
RANDOM = "random order"


def figures(
    rows: Mapping[str, Sequence[Rows]], roles: Mapping[str, Role], resampling: Resampling
) -> dict[str, Drawing]:
    """Deletion beside insertion, in probability and in logits."""
    labels = sorted(rows, key=lambda label: ORDER.index(roles[label]))
    draws = Draws(resampling)
    return {
        f"pixel-flipping-{scale}": _drawing(scale, labels, rows, roles, draws) for scale in SCALES
    }


def _drawing(
    scale: str,
    labels: Sequence[str],
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    draws: Draws,
) -> Drawing:
    figure = blank_figure(WIDE, HEIGHT + LINE * (len(labels) + 1), laid_out=True)
    axes, words = figure.subplots(1, 2, sharey=True), []
    for ax, kind in zip(axes, KINDS, strict=True):
        lines = [
            _curve(label, roles[label], rows[label], column(kind, scale), draws, scale)
            for label in labels
        ]
        tables = rows[labels[0]]
        lines.append(_curve(RANDOM, "floor", tables, column(kind, scale, "random "), draws, scale))
        draw_curves(ax, lines, marked=())
        _axes(ax, kind, UPWARDS[scale] if kind == KINDS[0] else "")
        words += [_in_words(kind, line) for line in lines]
    legend(figure, *axes, below=True)
    level = level_words(draws.resampling)
    caption = (
        "What the network gives the explained class while the most relevant pixels are replaced "
        "by the baseline (left), and while they come back into it (right; read from right to "
        "left, the least relevant go first). A good map falls early on the left and rises early "
        f"on the right. Bands are {level} intervals over images."
    )
    title = f"Deletion and insertion: {UPWARDS[scale].split(' ')[0].lower()}"
    return Drawing(figure, title, caption, " ".join(words))


def random_figure(curves: Float32[np.ndarray, "2 points"], name: str) -> Figure:
    """A class's probability while an image's pixels go, and come back, in random orders."""
    figure = blank_figure(WIDE, HEIGHT, laid_out=True)
    for ax, kind, values in zip(figure.subplots(1, 2, sharey=True), KINDS, curves, strict=True):
        ax.plot(np.linspace(0, 100, len(values)), 100 * values, color=INK)
        style_axes(ax, ACROSS[kind], UPWARDS["probability"] if kind == KINDS[0] else "")
        ax.set_title(f"{name}: {kind} in random orders", color=INK, fontsize=HEADING)
    return figure


def _curve(
    label: str, role: Role, tables: Sequence[Rows], name: str, draws: Draws, scale: str
) -> Curve:
    """The mean over images of all repeats that have a map."""
    values = np.concatenate([curves(table, name) for table in tables])
    cases = np.concatenate([case_names(table) for table in tables])
    mean: Band = band(cases, values, draws)
    across = np.linspace(0, 100, values.shape[1])
    return Curve(label, role, across, percent(mean) if scale == "probability" else mean)


def _axes(ax: Axes, kind: str, upwards: str) -> None:
    style_axes(ax, ACROSS[kind], upwards)
    ax.set_title(TITLES[kind], color=INK, fontsize=HEADING)
    ax.set_xlim(0, 100)


def _in_words(kind: str, curve: Curve) -> str:
    """The values at the start, in the middle and at the end."""
    values = curve.band.values
    places = [0, len(values) // 2, len(values) - 1]
    texts = ", ".join(number_words(float(values[place])) for place in places)
    return f"{curve.label}: {kind} goes through {texts} at 0, 50 and 100 % of the pixels."
