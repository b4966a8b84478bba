"""The picture of differences over folds, which asks whether other trainings would say the same."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes

from xbench import Drawing, Resampling, Role
from xbench.figures import (
    INK,
    WIDE,
    WORDS,
    Look,
    blank_figure,
    level_words,
    looks,
    number_words,
    role_label,
    shortened,
    style_axes,
)
from xbench_softlabels.fit.over_folds import tested_by_trained
from xbench_softlabels.kernels.resampled_t import corrected_reach, corrected_resampled_t

FAR = 4.0
"""So many times the median difference. What lies farther out is told at the edge: on one axis with
it the others could not be told apart."""
LETTERS = 36
"""Of a label beside the axis."""
BELOW = 0.25
"""How far below an entry's line its folds stand."""


class FoldLine(NamedTuple):
    """One line of the benchmark, with the mean of each fold."""

    label: str
    role: Role
    means: Float64[np.ndarray, " folds"]


class Difference(NamedTuple):
    """What a line has more than the first one: fold by fold, and in the mean."""

    line: FoldLine
    look: Look
    values: Float64[np.ndarray, " folds"]
    mean: float
    reach: float
    """How far the interval of the mean goes to either side."""
    p: float

    @property
    def words(self) -> str:
        """The mean with its interval."""
        return f"{self.mean:+.3f} [{self.mean - self.reach:+.3f}, {self.mean + self.reach:+.3f}]"


def over_folds(
    lines: Sequence[FoldLine], folds: int, whom: str, resampling: Resampling
) -> dict[str, Drawing]:
    """Each fold's difference to the first line, and their mean; nothing of a single fold."""
    alike = [line for line in lines if len(line.means) == len(lines[0].means)]
    if len(alike) < 2 or len(lines[0].means) < 2:
        return {}
    differences = _differences(alike, folds, resampling.level)
    figure = blank_figure(WIDE, 1.2 + 0.34 * len(differences), laid_out=True)
    ax = figure.add_subplot()
    first = lines[0].label
    style_axes(ax, f"Cross-entropy to {whom}, less that of '{first}' (nats)", grid="x")
    _draw(ax, differences)
    caption = (
        f"Small dots are folds: the mean cross-entropy of a fold's images, less that of '{first}' "
        "on them, each by networks that did not see them. Left of the upright line an entry is "
        f"better. Lines are {level_words(resampling)} intervals of the mean over folds, wider for "
        "the training images that folds share (Nadeau and Bengio 2003): where one reaches over the "
        "upright line, other trainings might turn the order round, whatever intervals over images "
        "say."
    )
    words = (f"{of.line.label}: {of.words}, p = {number_words(of.p, 4)}" for of in differences)
    title = f"The same in every fold? Differences to '{first}'"
    return {"over-folds": Drawing(figure, title, caption, f"{'; '.join(words)}.")}


def _differences(lines: Sequence[FoldLine], folds: int, level: float) -> list[Difference]:
    """Of all lines but the first."""
    first, tested = lines[0].means, tested_by_trained(folds)
    line_looks = looks(line.role for line in lines)
    found = []
    for line, look in list(zip(lines, line_looks, strict=True))[1:]:
        values = line.means - first
        test = corrected_resampled_t(values, tested)
        reach = corrected_reach(values, tested, level)
        found.append(Difference(line, look, values, test.difference, reach, test.p))
    return found


def _draw(ax: Axes, differences: Sequence[Difference]) -> None:
    most = FAR * float(np.median([abs(of.mean) for of in differences]))
    for place, one in enumerate(differences):
        if abs(one.mean) > most:
            _at_the_edge(ax, place, one)
        else:
            _points(ax, place, one)
    ax.axvline(0, color=INK, linewidth=0.9, zorder=1)
    names = [shortened(role_label(of.line.label, of.line.role), LETTERS) for of in differences]
    ax.set_yticks(range(len(names)), names, color=INK, fontsize=WORDS, parse_math=False)
    ax.set_ylim(len(names) - 0.4, -0.6)


def _points(ax: Axes, place: int, one: Difference) -> None:
    colour, folds = one.look.colour, len(one.values)
    ax.plot(one.values, np.full(folds, place + BELOW), "o", color=colour, alpha=0.55, ms=3.5)
    ax.hlines(place, one.mean - one.reach, one.mean + one.reach, colors=colour, linewidths=1.8)
    ax.plot([one.mean], [place], **{**one.look.line(), "linestyle": "none"})


def _at_the_edge(ax: Axes, place: int, one: Difference) -> None:
    """In words, for it lies outside of the picture."""
    right = one.mean > 0
    words = f"{one.words} →" if right else f"← {one.words}"
    where, side = (0.99, "right") if right else (0.01, "left")
    text = ax.text(where, place, words, ha=side, va="center", color=INK, fontsize=WORDS)
    text.set_transform(ax.get_yaxis_transform())
