"""Pictures of attacks: accuracy and loss against the radius, and loss against PGD's step."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

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
from xbench_softlabels.attack.outcome import Strength
from xbench_softlabels.attack.rows import CLEAN, CLIMB, LOSS, RIGHT, SIGN, courses, numbers
from xbench_softlabels.attack.summary import case_names

HEIGHT, LINE = 4.2, 0.12
"""Inches: of a figure, and of each line in the legend below it."""
RADIUS, STEP = "How far pixels may go (255ths)", "Step"
MOST_PANELS = 3
"""Of PGD's radii whose courses are drawn: the smallest, the one in the middle, the largest."""
CAPTIONS: Mapping[str, str] = {
    RIGHT: "The share of images that networks get right, against how far an attack may move each "
    "pixel; the first point is without an attack. Higher is better. Where PGD's curve is far below "
    "FGSM's, the single step of FGSM has missed what is there. Bands are {level} intervals over "
    "images.",
    LOSS: "The cross-entropy to the true class, against how far an attack may move each pixel. "
    "Lower is better, but a network that is less sure of everything has less of it without erring "
    "less: read it beside accuracy, and beside a network whose temperature was fitted. Bands are "
    "{level} intervals over images.",
    STEP: "The cross-entropy to the true class at each step of PGD, averaged over restarts; step 0 "
    "is the random start. A curve that is still rising at its end says that more steps would hurt "
    "more; one that stays at its start, that the attack finds no way. Each panel has its own "
    "scale. Bands are {level} intervals over images.",
}


class Panels(NamedTuple):
    """What all pictures are drawn of."""

    rows: Mapping[str, Sequence[Rows]]
    roles: Mapping[str, Role]
    draws: Draws

    def curves(self, values: Callable[[Rows], np.ndarray], across: np.ndarray) -> list[Curve]:
        """The mean over images of what each line has at each point, all repeats together."""
        labels = sorted(self.rows, key=lambda label: ORDER.index(self.roles[label]))
        return [Curve(of, self.roles[of], across, self._band(of, values)) for of in labels]

    def _band(self, label: str, values: Callable[[Rows], np.ndarray]) -> Band:
        tables = self.rows[label]
        cases = np.concatenate([case_names(table) for table in tables])
        return band(cases, np.concatenate([values(table) for table in tables]), self.draws)

    def drawing(self, name: str, title: str, panels: Sequence[tuple[str, list[Curve]]]) -> Drawing:
        """Panels beside each other, each with a heading."""
        figure = blank_figure(WIDE, HEIGHT + LINE * len(self.rows), laid_out=True)
        axes = figure.subplots(1, len(panels), sharey=name != STEP, squeeze=False)[0]
        for ax, (heading, curves) in zip(axes, panels, strict=True):
            draw_curves(ax, curves, marked=() if name == STEP else None)
            ax.set_title(heading, color=INK, fontsize=HEADING)
            style_axes(ax, STEP if name == STEP else RADIUS)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[0].set_ylabel("Right (%)" if name == RIGHT else "Cross-entropy (nats)", color=INK)
        legend(figure, *axes, below=True)
        caption = CAPTIONS[name].format(level=level_words(self.draws.resampling))
        return Drawing(figure, title, caption, " ".join(map(_in_words, panels)))


def figures(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    strength: Strength,
    resampling: Resampling,
) -> dict[str, Drawing]:
    """Accuracy and loss against the radius under both attacks, and loss against PGD's step."""
    panels = Panels(rows, roles, Draws(resampling))
    return {
        "attack-accuracy": _by_radius(panels, strength, RIGHT, "Accuracy under attacks"),
        "attack-loss": _by_radius(panels, strength, LOSS, "Loss under attacks"),
        "attack-steps": _by_step(panels, strength),
    }


def _by_radius(panels: Panels, strength: Strength, what: str, title: str) -> Drawing:
    drawn = []
    for attack, radii in ((SIGN, strength.radii), (CLIMB, strength.climbed)):
        names = [CLEAN, *(f"{attack} {radius:g}" for radius in radii)]
        across = np.arange(len(names), dtype=np.float64)
        curves = panels.curves(partial(_stacked, names=names, what=what), across)
        shown = [curve._replace(band=percent(curve.band)) for curve in curves]
        drawn.append((attack, shown if what == RIGHT else curves))
    drawing = panels.drawing(what, title, drawn)
    for ax, radii in zip(drawing.figure.axes, (strength.radii, strength.climbed), strict=True):
        _radius_ticks(ax, radii)
    return drawing


def _stacked(table: Rows, names: Sequence[str], what: str) -> Float64[np.ndarray, "images radii"]:
    return np.stack([numbers(table, f"{name} {what}") for name in names], 1)


def _radius_ticks(ax: Axes, radii: Sequence[float]) -> None:
    """Equally far apart, for radii double from one to the next as a rule."""
    ax.set_xticks(range(len(radii) + 1), ["0", *(f"{radius:g}" for radius in radii)])


def _by_step(panels: Panels, strength: Strength) -> Drawing:
    radii = list(strength.climbed)
    chosen = sorted({radii[0], radii[len(radii) // 2], radii[-1]})[:MOST_PANELS]
    across = np.arange(strength.steps + 1, dtype=np.float64)
    drawn = [
        (f"PGD, {radius:g}/255", panels.curves(partial(courses, radius=radius), across))
        for radius in chosen
    ]
    return panels.drawing(STEP, "Loss against the step of PGD", drawn)


def _in_words(panel: tuple[str, list[Curve]]) -> str:
    """Every curve's values."""
    heading, curves = panel
    texts = [
        f"{curve.label}: {', '.join(number_words(float(v), 2) for v in curve.band.values)}"
        for curve in curves
    ]
    return f"{heading}: {'; '.join(texts)}."
