"""Pictures of studies, and what they show in words."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from xbench import Band, Drawing, Role
from xbench.commands import counted
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
from xbench_study.analysis.accuracies import NO_CATEGORY, Accuracies
from xbench_study.analysis.cells import share_cell
from xbench_study.analysis.floors import SimulatedAnswers
from xbench_study.kernels.clustered_means import Estimate

FRAME, ROW = 1.5, 0.22
"""Inches around the bars, and of a bar."""
ALL = "all"
"""The group of all images."""


class Bars(NamedTuple):
    """What a condition, or a stand-in for people, has: a bar for each group of images."""

    label: str
    role: Role
    estimates: Sequence[Estimate]

    def words(self, groups: Sequence[str]) -> str:
        """The bars in words."""
        cells = zip(groups, map(share_cell, self.estimates), strict=True)
        return f"{self.label}: " + ", ".join(f"{name} {cell}" for name, cell in cells)


def accuracy_figure(
    of: Accuracies, titles: Sequence[str], floors: Sequence[SimulatedAnswers], who: str
) -> Drawing:
    """A group of bars for all images and for each category, a bar for each condition and floor."""
    groups = [ALL, *(of.categories if len(of.categories) > 1 else [])]
    bars = [
        Bars(title, "entry", _estimates(of, place, groups)) for place, title in enumerate(titles)
    ]
    bars += [
        Bars(one.label, "floor", [one.estimate(_category(name)) for name in groups])
        for one in floors
    ]
    return bar_figure(bars, {name: _images(of, name) for name in groups}, who)


def bar_figure(bars: Sequence[Bars], images: Mapping[str, int], who: str) -> Drawing:
    """Groups of bars; `images` has the names of the groups, and of how many images each is."""
    height = max(2.6, FRAME + ROW * len(images) * (len(bars) + 1))
    figure = blank_figure(WIDE, height, laid_out=True)
    ax = figure.add_subplot()
    style_axes(ax, f"Right answers of {who} (%)", grid="x")
    across = np.arange(len(images), dtype=float)
    bands = [percent(Band(*np.array(of.estimates).T)) for of in bars]
    pairs = zip(bars, bands, strict=True)
    draw_bars(ax, [Curve(of.label, of.role, across, band) for of, band in pairs])
    labels = [f"{name}\n{counted(count, 'image')}" for name, count in images.items()]
    ax.set_yticks(across, labels, fontsize=WORDS, parse_math=False)
    ax.set_ylim(len(images) - 0.5, -0.5)
    ax.set_xlim(0, 100)
    legend(figure, ax, below=True)
    people, stand_ins = (
        "; ".join(of.words(list(images)) for of in bars if (of.role == "floor") == floor)
        for floor in (False, True)
    )
    simulated = f" Simulated, no people: {stand_ins}." if stand_ins else ""
    caption = f"{CAPTION} {FLOORS}" if stand_ins else CAPTION
    return Drawing(figure, f"Right answers of {who}", caption, f"{people}.{simulated}")


CAPTION = (
    "Share of right answers in each condition, of all images and by category of error, with "
    "intervals that resample images and participants at once."
)
FLOORS = (
    "Floors are simulated: another network that sees what maps mark, and guessing. They are no "
    "people, and their intervals resample images."
)


def _category(group: str) -> str | None:
    return None if group == ALL else group


def _estimates(of: Accuracies, condition: int, groups: Sequence[str]) -> list[Estimate]:
    count = len(of.categories)
    return [
        of.means.estimate(condition)
        if name == ALL
        else of.cells.estimate(condition * count + of.categories.index(name))
        for name in groups
    ]


def _images(of: Accuracies, group: str) -> int:
    """Of how many images a group's bars are."""
    inside = np.full(len(of.scored), True)
    if group != ALL:
        inside = np.array([(c or NO_CATEGORY) == group for c in of.scored.categories])
    return len(set(of.scored.images[inside].tolist()))
