"""Pictures of studies, and what they show in words."""

from collections.abc import Sequence

import numpy as np

from xbench import Band, Drawing, Role
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
from xbench_study.analysis.floors import SimulatedAnswers, floor_words
from xbench_study.kernels.clustered_means import Estimate

FRAME, ROW = 1.5, 0.22
"""Inches around the bars, and of a bar."""


def accuracy_figure(
    of: Accuracies, titles: Sequence[str], floors: Sequence[SimulatedAnswers], who: str
) -> Drawing:
    """A group of bars for all images and for each category, a bar for each condition and floor."""
    groups = ["all", *(of.categories if len(of.categories) > 1 else [])]
    estimates = [_estimates(of, place, groups) for place in range(len(titles))]
    simulated = [[one.estimate(_category(name)) for name in groups] for one in floors]
    height = max(2.6, FRAME + ROW * len(groups) * (len(titles) + len(floors) + 1))
    figure = blank_figure(WIDE, height, laid_out=True)
    ax = figure.add_subplot()
    style_axes(ax, f"Right answers of {who} (%)", grid="x")
    across = np.arange(len(groups), dtype=float)
    bands = [percent(Band(*np.array(rows).T)) for rows in [*estimates, *simulated]]
    names: list[tuple[str, Role]] = [
        *((title, "entry") for title in titles),
        *((one.label, "floor") for one in floors),
    ]
    pairs = zip(names, bands, strict=True)
    draw_bars(ax, [Curve(name, role, across, band) for (name, role), band in pairs])
    labels = [_group_label(of, name) for name in groups]
    ax.set_yticks(across, labels, fontsize=WORDS, parse_math=False)
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.set_xlim(0, 100)
    legend(figure, ax, below=True)
    words = "; ".join(
        f"{title}: "
        + ", ".join(f"{name} {share_cell(one)}" for name, one in zip(groups, rows, strict=True))
        for title, rows in zip(titles, estimates, strict=True)
    )
    stand_ins = f" Simulated, no people: {'; '.join(floor_words(floors))}." if floors else ""
    caption = f"{CAPTION} {FLOORS}" if floors else CAPTION
    return Drawing(figure, f"Right answers of {who}", caption, f"{words}.{stand_ins}")


CAPTION = (
    "Share of right answers in each condition, of all images and by category of error, with "
    "intervals that resample images and participants at once."
)
FLOORS = (
    "Floors are simulated: another network that sees what maps mark, and guessing. They are no "
    "people, and their intervals resample images."
)


def _category(group: str) -> str | None:
    return None if group == "all" else group


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
