"""Pictures of the shift protocol."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from xbench import Band, Drawing, Draws, Resampling, Role, Rows, band
from xbench.figures import (
    INK,
    MIST,
    WIDE,
    WIDTH,
    WORDS,
    Curve,
    Look,
    blank_figure,
    draw_curve,
    legend,
    level_words,
    looks,
    number_words,
    percent,
    role_label,
    style_axes,
)
from xbench_softlabels.shift.gains import gain_bands, interactions
from xbench_softlabels.shift.summary import BASE, SetAnswers, answers_by_set

TALL = 6.6
"""Inches."""
ROOM = 0.76
"""What the points of one set take of the room between two sets."""
LETTERS = 16
"""In a line of a set's name."""
GAINS = (("Gain", 0, gain_bands), ("Interaction", 1, interactions))
"""What the panels of gains show, and at which set they begin."""
PANELS = (("correct", "Accuracy (%)"), ("cross_entropy", "Cross-entropy (nats)"))
IDEAL = "ideal observer"


class Line(NamedTuple):
    """One line of the benchmark, with the answers of all repeats by set."""

    label: str
    role: Role
    sets: Mapping[str, SetAnswers]


def figures(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    resampling: Resampling,
    known: str = BASE,
) -> dict[str, Drawing]:
    """Both measures from the known set to the farthest, and what entries gain over the first."""
    lines = [Line(label, roles[label], _all_repeats(tables)) for label, tables in rows.items()]
    names = _order(lines[0].sets, known)
    if len(names) < 2:
        return {}
    drawings = {"shift": _measures(lines, names, Draws(resampling))}
    if len(lines) > 1:
        drawings["gain"] = _gains(lines, names, Draws(resampling))
    return drawings


def _measures(lines: Sequence[Line], names: Sequence[str], draws: Draws) -> Drawing:
    """Figure 2 of the paper: accuracy and cross-entropy of each entry."""
    words, figure = list[str](), blank_figure(WIDTH, TALL, laid_out=True)
    for ax, (key, upwards) in zip(figure.subplots(2, 1, sharex=True), PANELS, strict=True):
        curves = [_curve(line.label, line.role, line.sets, names, key, draws) for line in lines]
        curves += _ideal(lines, names, draws) if key == "correct" else []
        curve_looks = looks(curve.role for curve in curves)
        for curve, look in zip(curves, curve_looks, strict=True):
            draw_curve(ax, curve, look, marked=range(len(names)), shaded=curve is curves[0])
        _axes(ax, names, upwards)
        words += [_in_words(curve, names, upwards) for curve in curves]
    legend(figure, *figure.axes, below=True)
    caption = _measures_caption(lines, names, level_words(draws.resampling))
    return Drawing(figure, "Where images come from elsewhere", caption, " ".join(words))


def _measures_caption(lines: Sequence[Line], names: Sequence[str], level: str) -> str:
    ideal = (
        " The dotted line is how often the ideal observer is right: what it loses is lost in the "
        "images."
    )
    return (
        f"The known images, '{names[0]}', then sets that come from elsewhere, ordered by how often "
        f"'{lines[0].label}' is right (Figure 2 of the paper). The steeper a curve, the more its "
        "entry suffers; one that gains by people's uncertainty lies lower in the lower panel, the "
        f"more so the farther a set is. The band is the {level} interval of '{lines[0].label}' "
        "over images. Entries share their images: the picture of gains tells which of them differ."
        + (ideal if _knows_ideal(lines, names) else "")
    )


def _gains(lines: Sequence[Line], names: Sequence[str], draws: Draws) -> Drawing:
    """What each entry gains over the first on every set, and how much more than on the known."""
    first, words = lines[0], list[str]()
    figure = blank_figure(WIDE, TALL, laid_out=True)
    axes = figure.subplots(2, 1, sharex=True)
    for ax, (measure, start, bands) in zip(axes, GAINS, strict=True):
        for place, (line, look) in enumerate(_others(lines)):
            across = np.arange(start, len(names)) + _aside(place, len(lines) - 1)
            values = bands(first.sets, line.sets, names, draws)
            curve = Curve(line.label, line.role, across, values)
            _points(ax, curve, look)
            words.append(_with_intervals(curve, names[start:], measure))
        _gain_axes(ax, names, f"{measure} (nats)")
    legend(figure, *axes, below=True)
    caption = (
        f"Above: by how much the cross-entropy of an entry is lower than that of '{first.label}' "
        "on the same images; over the line it is better. Below, the interaction of gain and shift: "
        f"the gain less that on the known images, '{names[0]}'. An entry whose whole interval lies "
        "over the lower line gains more where images shift; one on that line gains the same "
        f"everywhere, which is no robustness. {level_words(draws.resampling)} intervals over "
        "images, paired."
    )
    return Drawing(figure, f"What is gained over '{first.label}'", caption, " ".join(words))


def _others(lines: Sequence[Line]) -> list[tuple[Line, Look]]:
    """All lines but the first, with the looks that they have beside it."""
    return list(zip(lines, looks(line.role for line in lines), strict=True))[1:]


def _aside(place: int, count: int) -> float:
    """How far from a set's tick the `place`-th of so many points stands."""
    return ROOM * ((place + 0.5) / count - 0.5)


def _points(ax: Axes, curve: Curve, look: Look) -> None:
    """Points with their intervals, which no line connects: sets are no scale."""
    middle, low, high = curve.band
    ax.vlines(curve.across, low, high, colors=look.colour, linewidths=1.4)
    style = {**look.line(), "linestyle": "none", "markersize": look.size - 0.5}
    ax.plot(curve.across, middle, label=role_label(curve.label, curve.role), **style)


def _gain_axes(ax: Axes, names: Sequence[str], upwards: str) -> None:
    style_axes(ax, "", upwards, grid="y")
    ax.axhline(0, color=INK, linewidth=0.9)
    ax.set_xlim(-0.5, len(names) - 0.5)
    for place in range(1, len(names)):
        ax.axvline(place - 0.5, color=MIST, linewidth=0.7)
    words = [fill(name, LETTERS, break_long_words=False) for name in names]
    ax.set_xticks(range(len(names)), words, color=INK, fontsize=WORDS, parse_math=False)


def _all_repeats(tables: Sequence[Rows]) -> dict[str, SetAnswers]:
    """The answers of all repeats, by set."""
    parts: dict[str, list[SetAnswers]] = {}
    for table in tables:
        for of in answers_by_set(table):
            parts.setdefault(of.name, []).append(of)
    return {name: _joined(name, every) for name, every in parts.items()}


def _joined(name: str, every: Sequence[SetAnswers]) -> SetAnswers:
    values = {key: np.concatenate([of.values[key] for of in every]) for key in every[0].values}
    return SetAnswers(name, np.concatenate([of.cases for of in every]), values)


def _order(sets: Mapping[str, SetAnswers], known: str) -> list[str]:
    """The known set, then `test`, then the others by how often their classes are recognised."""
    right = {name: of.values["correct"].mean() for name, of in sets.items()}
    return sorted(sets, key=lambda name: (name != known, name != BASE, -right[name]))


def _curve(
    label: str,
    role: Role,
    sets: Mapping[str, SetAnswers],
    names: Sequence[str],
    key: str,
    draws: Draws,
) -> Curve:
    """The mean of a measure over each set."""
    bands = [band(sets[name].cases, sets[name].values[key][:, None], draws) for name in names]
    mean = Band(*(np.concatenate(parts) for parts in zip(*bands, strict=True)))
    return Curve(label, role, np.arange(len(names)), percent(mean) if key != PANELS[1][0] else mean)


def _ideal(lines: Sequence[Line], names: Sequence[str], draws: Draws) -> list[Curve]:
    """How often the ideal observer is right, where it is known of all sets."""
    if not _knows_ideal(lines, names):
        return []
    return [_curve(IDEAL, "ceiling", lines[0].sets, names, "ideal", draws)]


def _knows_ideal(lines: Sequence[Line], names: Sequence[str]) -> bool:
    return not any(np.isnan(lines[0].sets[name].values["ideal"]).any() for name in names)


def _axes(ax: Axes, names: Sequence[str], upwards: str) -> None:
    style_axes(ax, "", upwards)
    ax.set_xticks(range(len(names)), names, color=INK, fontsize=WORDS, parse_math=False)
    ax.tick_params(axis="x", labelrotation=30)
    for label in ax.get_xticklabels():
        label.set(ha="right", rotation_mode="anchor")


def _with_intervals(curve: Curve, names: Sequence[str], measure: str) -> str:
    means, lows, highs = ([number_words(float(end), 3) for end in ends] for ends in curve.band)
    numbers = zip(names, means, lows, highs, strict=True)
    values = ", ".join(f"{mean} ({low} to {high}) on {name}" for name, mean, low, high in numbers)
    return f"{curve.label}: {measure} is {values}."


def _in_words(curve: Curve, names: Sequence[str], measure: str) -> str:
    pairs = zip(names, curve.band.values, strict=True)
    digits = 1 if "%" in measure else 2
    values = ", ".join(f"{number_words(float(value), digits)} on {name}" for name, value in pairs)
    return f"{curve.label}: {measure} is {values}."
