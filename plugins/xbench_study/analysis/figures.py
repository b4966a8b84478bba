"""Pictures of studies, and what they show in words."""

from collections.abc import Sequence

import numpy as np

from xbench import Band, Drawing
from xbench.figures import (
    WIDE,
    WORDS,
    Curve,
    blank_figure,
    draw_bars,
    legend,
    percent,
    style_axes,
)
from xbench_study.analysis.accuracies import Accuracies
from xbench_study.analysis.cells import share_cell
from xbench_study.kernels.clustered_means import Estimate

FRAME, ROW = 1.5, 0.22
"""Inches around the bars, and of a bar."""


def accuracy_figure(
    of: Accuracies, titles: Sequence[str], chance: float | None, who: str
) -> Drawing:
    """A group of bars for all images and for each category, a bar for each condition."""
    groups = ["all", *(of.categories if len(of.categories) > 1 else [])]
    estimates = [_estimates(of, place, groups) for place in range(len(titles))]
    height = max(2.6, FRAME + ROW * len(groups) * (len(titles) + 1))
    figure = blank_figure(WIDE, height, laid_out=True)
    ax = figure.add_subplot()
    style_axes(ax, f"Right answers of {who} (%)", grid="x")
    across = np.arange(len(groups), dtype=float)
    bands = (percent(Band(*np.array(rows).T)) for rows in estimates)
    draw_bars(
        ax,
        [Curve(title, "entry", across, of) for title, of in zip(titles, bands, strict=True)],
    )
    labels = [_group_label(of, name) for name in groups]
    ax.set_yticks(across, labels, fontsize=WORDS, parse_math=False)
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.set_xlim(0, 100)
    if chance is not None:
        ax.axvline(
            100 * chance, color="#222222", linewidth=1.2, linestyle=(0, (2, 2)), label="chance"
        )
    legend(figure, ax, below=True, last="chance")
    words = "; ".join(
        f"{title}: "
        + ", ".join(f"{name} {share_cell(one)}" for name, one in zip(groups, rows, strict=True))
        for title, rows in zip(titles, estimates, strict=True)
    )
    guess = "" if chance is None else f" By chance {100 * chance:.0f} % are right."
    return Drawing(figure, f"Right answers of {who}", CAPTION, f"{words}.{guess}")


CAPTION = (
    "Share of right answers in each condition, of all images and by category of error, with "
    "intervals that resample images and participants at once."
)


def _estimates(of: Accuracies, condition: int, groups: Sequence[str]) -> list[Estimate]:
    count = len(of.categories)
    return [
        of.means.estimate(condition)
        if name == "all"
        else of.cells.estimate(condition * count + of.categories.index(name))
        for name in groups
    ]


def _group_label(of: Accuracies, name: str) -> str:
    """The category, and of how many images its bars are."""
    inside = np.full(len(of.scored), True)
    if name != "all":
        inside = np.array([(c or "(none)") == name for c in of.scored.categories])
    return f"{name}\n{len(set(of.scored.images[inside].tolist()))} images"
