"""Pictures of the spurious-recovery protocol: what the paper's Figure 1 (b) and (c) shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from xbench import Band, Drawing, Draws, Resampling, Role, Rows, band
from xbench_ces.spurious.summary import (
    Found,
    Part,
    Scoring,
    accuracy_in,
    among,
    found_in,
    of_batches,
    singles,
)

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#B8860B", "#56B4E9")
GREYS = ("#5f5f5f", "#8c8c8c", "#b3b3b3", "#cccccc")
MARKERS, FLOOR_MARKERS = ("o", "s", "^", "D", "v", "P"), ("x", "+", "1", "2")
DASHES = ((6, 2), (2, 1.5), (6, 1.5, 1, 1.5), (10, 3))
HATCHES = ("", "////", "....", "xxxx")
INK, FAINT, GRID = "#222222", "#777777", "#e4e4e4"
WIDTH, HEIGHT = 7.4, 4.2
ROW, FRAME = 0.21, 1.15
"""Inches: of a bar, and of what stands above and below all bars."""
GUESSING = "by guessing"
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
DOTS = (".", "*")
"""Markers of the first entry's scenarios that have a curve of their own."""


class Line(NamedTuple):
    """One line of the benchmark, with what was found in each of its repeats."""

    label: str
    role: Role
    tables: tuple[pa.Table, ...]
    found: tuple[tuple[Found, ...], ...]
    """By repeat and scenario, at the largest strength."""
    style: Mapping[str, Any]


class Picture(NamedTuple):
    """What every drawing draws from."""

    lines: tuple[Line, ...]
    scoring: Scoring
    draws: Draws

    @property
    def level(self) -> str:
        """How wide intervals are."""
        return f"{self.draws.resampling.level:.0%}".replace("%", " %")


def drawn(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    scoring: Scoring,
    resampling: Resampling,
) -> dict[str, Drawing]:
    """Recovery by scenario, by images together, by rank and, for several, by strength."""
    picture = Picture(tuple(_lines(rows, roles, scoring)), scoring, Draws(resampling))
    made = {
        "recovery": by_scenario(picture),
        "recovery-batches": by_images_together(picture),
        "recovery-ranks": by_rank(picture),
    }
    if len(scoring.strengths) > 1:
        made["recovery-strength"] = by_strength(picture)
    return made


def _lines(
    rows: Mapping[str, Sequence[Rows]], roles: Mapping[str, Role], scoring: Scoring
) -> Iterator[Line]:
    """Entries first, then ceilings, then floors."""
    order: tuple[Role, ...] = ("entry", "ceiling", "floor")
    seen = dict.fromkeys(order, 0)
    for label in sorted(rows, key=lambda label: order.index(roles[label])):
        role = roles[label]
        found = tuple(_found(table, scoring, scoring.strengths[-1]) for table in rows[label])
        yield Line(label, role, tuple(rows[label]), found, _style(label, role, seen[role]))
        seen[role] += 1


def _found(table: pa.Table, scoring: Scoring, strength: float) -> tuple[Found, ...]:
    return tuple(found_in(table, scenario, strength) for scenario in scoring.scenarios)


def _style(label: str, role: Role, place: int) -> dict[str, Any]:
    named = label if role == "entry" else f"{label} ({role})"
    style: dict[str, Any] = {"label": fill(named, 28), "hatch": HATCHES[place % len(HATCHES)]}
    if role == "entry":
        marker = MARKERS[place % len(MARKERS)]
        return style | {"color": COLOURS[place % len(COLOURS)], "marker": marker, "width": 2.2}
    dashes = {"dashes": DASHES[place % len(DASHES)], "width": 1.2}
    marker = FLOOR_MARKERS[place % len(FLOOR_MARKERS)]
    colour = INK if role == "ceiling" else GREYS[place % len(GREYS)]
    return style | {"color": colour, "marker": marker} | dashes


def by_scenario(picture: Picture) -> Drawing:
    """One group of bars for each scenario, with what guessing would give."""
    scoring, top = picture.scoring, picture.scoring.top
    figure, ax = _canvas(f"Images whose true concept is among the top {top} (%)", "")
    rows = len(scoring.scenarios) * (len(picture.lines) + 1)
    figure.set_size_inches(WIDTH, FRAME + ROW * rows)
    words = []
    for place, line in enumerate(picture.lines):
        bands = [_of_scenario(picture, line, n) for n in range(len(scoring.scenarios))]
        _bars(ax, picture, place, bands)
        values = zip(scoring.scenarios, bands, strict=True)
        told = ", ".join(f"{s.label} {_percent(b.values[0])}" for s, b in values)
        words.append(f"{line.label}: {told}")
    _chance(ax, picture)
    labels = [_scenario_label(picture, n) for n in range(len(scoring.scenarios))]
    ax.set_yticks(range(len(labels)), labels, color=INK, fontsize=9)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xlim(0, 104)
    ax.grid(visible=False, axis="y")
    _legend(figure, ax)
    caption = (
        f"How often the concept of the confounding context is among the {top} concepts that "
        f"score highest, image by image, with {picture.level} intervals over images. Below each "
        f"scenario: accuracy of {picture.lines[0].label!r} in distribution → out of "
        "distribution."
    )
    text = "Values in per cent. " + "; ".join(words) + "."
    return Drawing(figure, f"Recovery at {top} by scenario", caption, text)


def _of_scenario(picture: Picture, line: Line, scenario: int) -> Band:
    scoring = picture.scoring
    return _band(picture, (singles(of[scenario], scoring, scoring.top) for of in line.found))


def _bars(ax: Axes, picture: Picture, place: int, bands: Sequence[Band]) -> None:
    height = 1 / (len(picture.lines) + 1)
    style = picture.lines[place].style
    across = np.arange(len(bands)) + (place + 1) * height - 0.5
    values, low, high = (100 * np.array([b[part][0] for b in bands]) for part in range(3))
    hatched = {"hatch": style["hatch"], "edgecolor": "white", "linewidth": 0}
    ax.barh(across, values, 0.86 * height, color=style["color"], label=style["label"], **hatched)
    ax.hlines(across, low, high, colors=INK, linewidths=1.1, zorder=4)
    ax.plot(np.concatenate([low, high]), [*across, *across], "|", color=INK, ms=4, zorder=4)


def _chance(ax: Axes, picture: Picture) -> None:
    places = np.arange(len(picture.scoring.scenarios))
    chances = [100 * _guessing(picture, scenario) for scenario in places.tolist()]
    dotted: dict[str, Any] = {"colors": INK, "linewidths": 1.2, "linestyles": "dotted", "zorder": 5}
    ax.vlines(chances, places - 0.42, places + 0.42, label=GUESSING, **dotted)


def _guessing(picture: Picture, scenario: int) -> float:
    """What a random order of the first line's concepts is expected to recover."""
    parts = [
        singles(of[scenario], picture.scoring, picture.scoring.top) for of in picture.lines[0].found
    ]
    chances = np.concatenate([part.chance for part in parts if part.chance is not None])
    return float(chances.mean()) if len(chances) else np.nan


def _scenario_label(picture: Picture, scenario: int) -> str:
    one, strongest = picture.scoring.scenarios[scenario], picture.scoring.strengths[-1]
    means = []
    for which in ("in", "out"):
        parts = (accuracy_in(t, one, strongest, which) for t in picture.lines[0].tables)
        means.append(_percent(_band(picture, parts).values[0], 0))
    lost = _kept(picture.lines[0], scenario) == 0
    accuracies = f"accuracy {' → '.join(means)} %"
    return "\n".join([fill(one.label, 30), accuracies, *(["concept not kept"] if lost else [])])


def _kept(line: Line, scenario: int) -> float:
    """The share of images whose bank has kept the true concept; NaN without images."""
    ranks = np.concatenate([of[scenario].ranks() for of in line.found])
    return float((~np.isnan(ranks)).mean()) if len(ranks) else np.nan


def by_images_together(picture: Picture) -> Drawing:
    """Recovery against the number of images whose scores are added up."""
    scoring = picture.scoring
    sizes = np.array(scoring.batch_sizes, np.float64)
    figure, ax = _canvas("Images explained together", f"Recovery at {scoring.top} (%)")
    words = []
    for line in picture.lines:
        curve = _curve(picture, line, range(len(scoring.scenarios)))
        _draw(ax, sizes, curve, line.style)
        words.append(_in_words(line.label, curve.values))
    first = picture.lines[0]
    for scenario, marker in zip(_hardest(picture, first), DOTS, strict=False):
        name, dots = scoring.scenarios[scenario].label, {"dashes": (1, 1.4), "width": 1.3}
        curve = _curve(picture, first, [scenario])
        style = {**first.style, **dots, "label": fill(f"{name} alone", 28), "marker": marker}
        _draw(ax, sizes, curve, style, shaded=False)
        words.append(_in_words(f"{first.label}, {name} alone", curve.values))
    _logarithmic(ax, scoring.batch_sizes)
    _legend(figure, ax)
    caption = (
        f"How often the concept of the confounding context is among the {scoring.top} highest when "
        "scores of several images are added up: means over all scenarios, with "
        f"{picture.level} intervals over disjoint batches; dotted, the scenarios in which "
        f"{first.label!r} recovers it least from single images."
    )
    at = ", ".join(map(str, scoring.batch_sizes))
    text = f"Values in per cent for {at} images together. " + "; ".join(words) + "."
    return Drawing(figure, f"Recovery at {scoring.top} of images together", caption, text)


def _curve(picture: Picture, line: Line, scenarios: Sequence[int]) -> Band:
    """Recovery in these scenarios: one point for each size of batches."""
    return _joined(
        [
            _band(picture, _batches(picture, line, scenarios, size))
            for size in picture.scoring.batch_sizes
        ]
    )


def _batches(picture: Picture, line: Line, scenarios: Sequence[int], size: int) -> Iterator[Part]:
    for found in line.found:
        of_each = list(of_batches(found, picture.scoring, size))
        yield from (of_each[scenario] for scenario in scenarios)


def _hardest(picture: Picture, line: Line) -> list[int]:
    """Scenarios of lowest recovery from single images, where there is something to gain."""
    means = [
        _of_scenario(picture, line, n).values[0] for n in range(len(picture.scoring.scenarios))
    ]
    lowest = [int(n) for n in np.argsort(means, kind="stable")[: len(DOTS)]]
    return [n for n in lowest if means[n] < 1] if len(means) > 1 else []


def by_rank(picture: Picture) -> Drawing:
    """Recovery at every k: how ranks of the true concept are distributed."""
    widths = [of.raw.shape[1] for line in picture.lines for one in line.found for of in one]
    most = max(2, *widths, *picture.scoring.tops)
    tops = np.arange(1, most + 1)
    figure, ax = _canvas("k", "Images whose true concept is among the top k (%)")
    words = []
    for line in picture.lines:
        parts = (_at_every(of, tops) for repeat in line.found for of in repeat)
        curve = _band(picture, parts)
        _draw(ax, tops, curve, {**line.style, "marker": None})
        told = ", ".join(f"{k}: {_percent(curve.values[k - 1])}" for k in picture.scoring.tops)
        words.append(f"{line.label}: at {told}")
    ax.set_xlim(1, most)
    _logarithmic(ax, [tick for tick in TICKS if tick <= most])
    _legend(figure, ax)
    caption = (
        "How often the concept of the confounding context is among the k concepts that score "
        f"highest, over all scenarios, with {picture.level} intervals over images."
    )
    return Drawing(figure, "Recovery at every k", caption, "In per cent. " + "; ".join(words) + ".")


def _at_every(of: Found, tops: np.ndarray) -> Part:
    ranks = of.ranks()[:, None]
    return Part(of.images, among(np.broadcast_to(ranks, (len(ranks), len(tops))), tops))


def by_strength(picture: Picture) -> Drawing:
    """Recovery against the share of the class's training images that show the context."""
    scoring = picture.scoring
    percent = 100 * np.array(scoring.strengths)
    across = "Training images of the class that show the context (%)"
    figure, ax = _canvas(across, f"Recovery at {scoring.top} (%)")
    words = []
    for line in picture.lines:
        curve = _joined([_at_strength(picture, line, s) for s in scoring.strengths])
        _draw(ax, percent, curve, line.style)
        words.append(_in_words(line.label, curve.values))
    ax.xaxis.set_major_locator(FixedLocator(percent.tolist()))
    ax.set_ylim(0, 104)
    _legend(figure, ax)
    caption = (
        f"How often the concept of the confounding context is among the {scoring.top} concepts "
        "that score highest when only a part of the class's training images shows it: means over "
        f"all scenarios, with {picture.level} intervals over images."
    )
    at = ", ".join(f"{value:g}" for value in percent)
    text = f"Values in per cent at {at} % of training images. " + "; ".join(words) + "."
    return Drawing(figure, f"Recovery at {scoring.top} by strength", caption, text)


def _at_strength(picture: Picture, line: Line, strength: float) -> Band:
    scoring = picture.scoring
    found = (of for table in line.tables for of in _found(table, scoring, strength))
    return _band(picture, (singles(of, scoring, scoring.top) for of in found))


def _band(picture: Picture, parts: Iterable[Part]) -> Band:
    """Means over all images of the parts, with intervals."""
    made = list(parts)
    values = np.concatenate([part.values for part in made])
    columns = values[:, None] if values.ndim == 1 else values
    return band(np.concatenate([part.cases for part in made]), columns, picture.draws)


def _joined(bands: Sequence[Band]) -> Band:
    return Band(*(np.concatenate([one[part] for one in bands]) for part in range(3)))


def _draw(
    ax: Axes,
    across: Float64[np.ndarray, " points"],
    curve: Band,
    style: Mapping[str, Any],
    *,
    shaded: bool = True,
) -> None:
    values, low, high = (100 * part for part in curve)
    if shaded:
        ax.fill_between(across, low, high, color=style["color"], alpha=0.15, linewidth=0)
    dashes = (0, style["dashes"]) if "dashes" in style else "solid"
    plain = {name: style[name] for name in ("color", "marker", "label")}
    ax.plot(across, values, linestyle=dashes, linewidth=style["width"], markersize=6, **plain)


def _canvas(across: str, upwards: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, HEIGHT), facecolor="white", layout="constrained")
    ax = figure.add_subplot()
    ax.set_xlabel(across, color=INK)
    ax.set_ylabel(upwards, color=INK)
    ax.grid(color=GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(colors=INK, length=3)
    return figure, ax


def _logarithmic(ax: Axes, ticks: Sequence[int]) -> None:
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(list(ticks)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.set_ylim(0, 104)


def _legend(figure: Figure, ax: Axes) -> None:
    handles, labels = ax.get_legend_handles_labels()
    if GUESSING in labels:
        place = labels.index(GUESSING)
        handles.append(handles.pop(place))
        labels.append(labels.pop(place))
    figure.legend(
        handles,
        labels,
        loc="outside right upper",
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=3.0,
    )


def _in_words(label: str, values: Float64[np.ndarray, " points"]) -> str:
    return f"{label}: {', '.join(map(_percent, values))}"


def _percent(value: float, digits: int = 1) -> str:
    return "none" if np.isnan(value) else f"{100 * value:.{digits}f}"
