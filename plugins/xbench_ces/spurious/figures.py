"""Pictures of the spurious-recovery protocol: what the paper's Figure 1 (b) and (c) shows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from xbench import Band, Drawing, Draws, Resampling, Role, Rows, band
from xbench.figures import (
    INK,
    ORDER,
    WORDS,
    Curve,
    chart,
    draw_bars,
    draw_curve,
    draw_curves,
    joined,
    legend,
    level_words,
    look,
    number_words,
    percent,
)
from xbench_ces.spurious.summary import (
    Part,
    ScenarioScores,
    Scoring,
    accuracy_in,
    among,
    of_batches,
    scores_in,
    singles,
)

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
    found: tuple[tuple[ScenarioScores, ...], ...]
    """By repeat and scenario, at the largest strength."""


class Picture(NamedTuple):
    """What every drawing draws from."""

    lines: tuple[Line, ...]
    scoring: Scoring
    draws: Draws

    @property
    def level(self) -> str:
        """How wide intervals are."""
        return level_words(self.draws.resampling)


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
    for label in sorted(rows, key=lambda label: ORDER.index(roles[label])):
        found = tuple(_found(table, scoring, scoring.strengths[-1]) for table in rows[label])
        yield Line(label, roles[label], tuple(rows[label]), found)


def _found(table: pa.Table, scoring: Scoring, strength: float) -> tuple[ScenarioScores, ...]:
    return tuple(scores_in(table, scenario, strength) for scenario in scoring.scenarios)


def by_scenario(picture: Picture) -> Drawing:
    """One group of bars for each scenario, with what guessing would give."""
    scoring, top = picture.scoring, picture.scoring.top
    places = np.arange(len(scoring.scenarios))
    height = FRAME + ROW * len(places) * (len(picture.lines) + 1)
    across = f"Images whose true concept is among the top {top} (%)"
    figure, ax = chart(across, "", lines=len(picture.lines) + 1, height=height)
    bars = [
        _shown(line, places, joined([_of_scenario(picture, line, n) for n in places.tolist()]))
        for line in picture.lines
    ]
    draw_bars(ax, bars)
    _chance(ax, picture)
    labels = [_scenario_label(picture, n) for n in places.tolist()]
    ax.set_yticks(places, labels, color=INK, fontsize=WORDS, parse_math=False)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xlim(0, 104)
    ax.grid(visible=False, axis="y")
    legend(figure, ax, last=GUESSING)
    words = [_scenarios_in_words(picture, bar) for bar in bars]
    caption = (
        f"How often the concept of the confounding context is among the {top} concepts that "
        f"score highest, image by image, with {picture.level} intervals over images. Below each "
        f"scenario: accuracy of {picture.lines[0].label!r} in distribution → out of "
        "distribution."
    )
    text = "Values in per cent. " + "; ".join(words) + "."
    return Drawing(figure, f"Recovery at {top} by scenario", caption, text)


def _scenarios_in_words(picture: Picture, bars: Curve) -> str:
    values = zip(picture.scoring.scenarios, bars.band.values, strict=True)
    told = ", ".join(f"{scenario.label} {number_words(value)}" for scenario, value in values)
    return f"{bars.label}: {told}"


def _of_scenario(picture: Picture, line: Line, scenario: int) -> Band:
    scoring = picture.scoring
    return _band(picture, (singles(of[scenario], scoring, scoring.top) for of in line.found))


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
        means.append(number_words(100 * _band(picture, parts).values[0], 0))
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
    first, hardest = picture.lines[0], _hardest(picture, picture.lines[0])
    lines = len(picture.lines) + len(hardest)
    figure, ax = chart("Images explained together", f"Recovery at {scoring.top} (%)", lines=lines)
    every = range(len(scoring.scenarios))
    curves = [_shown(line, sizes, _curve(picture, line, every)) for line in picture.lines]
    draw_curves(ax, curves)
    words = [_in_words(curve.label, curve) for curve in curves]
    for scenario, marker in zip(hardest, DOTS, strict=False):
        name = scoring.scenarios[scenario].label
        curve = _shown(first, sizes, _curve(picture, first, [scenario]))
        own = look(first.role, 0)
        own = own._replace(marker=marker, edge=own.colour, dashes=(0, (1, 1.4)), width=1.3)
        draw_curve(ax, curve._replace(label=f"{name} alone"), own, shaded=False)
        words.append(_in_words(f"{first.label}, {name} alone", curve))
    _logarithmic(ax, scoring.batch_sizes)
    legend(figure, ax)
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
    return joined(
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
    upwards = "Images whose true concept is among the top k (%)"
    figure, ax = chart("k", upwards, lines=len(picture.lines))
    words, curves = [], []
    for line in picture.lines:
        parts = (_at_every(of, tops) for repeat in line.found for of in repeat)
        curve = _band(picture, parts)
        curves.append(_shown(line, tops, curve))
        told = ", ".join(
            f"{k}: {number_words(100 * curve.values[k - 1])}" for k in picture.scoring.tops
        )
        words.append(f"{line.label}: at {told}")
    draw_curves(ax, curves, marked=())
    ax.set_xlim(1, most)
    _logarithmic(ax, [tick for tick in TICKS if tick <= most])
    legend(figure, ax)
    caption = (
        "How often the concept of the confounding context is among the k concepts that score "
        f"highest, over all scenarios, with {picture.level} intervals over images."
    )
    return Drawing(figure, "Recovery at every k", caption, "In per cent. " + "; ".join(words) + ".")


def _at_every(of: ScenarioScores, tops: np.ndarray) -> Part:
    ranks = of.ranks()[:, None]
    return Part(of.images, among(np.broadcast_to(ranks, (len(ranks), len(tops))), tops))


def by_strength(picture: Picture) -> Drawing:
    """Recovery against the share of the class's training images that show the context."""
    scoring = picture.scoring
    strengths = 100 * np.array(scoring.strengths)
    across = "Training images of the class that show the context (%)"
    figure, ax = chart(across, f"Recovery at {scoring.top} (%)", lines=len(picture.lines))
    curves = [
        _shown(line, strengths, joined([_at_strength(picture, line, s) for s in scoring.strengths]))
        for line in picture.lines
    ]
    draw_curves(ax, curves)
    words = [_in_words(curve.label, curve) for curve in curves]
    ax.xaxis.set_major_locator(FixedLocator(strengths.tolist()))
    ax.set_ylim(0, 104)
    legend(figure, ax)
    caption = (
        f"How often the concept of the confounding context is among the {scoring.top} concepts "
        "that score highest when only a part of the class's training images shows it: means over "
        f"all scenarios, with {picture.level} intervals over images."
    )
    at = ", ".join(f"{value:g}" for value in strengths)
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


def _shown(line: Line, across: Float64[np.ndarray, " points"], shares: Band) -> Curve:
    """The curve of a line, in per cent."""
    return Curve(line.label, line.role, across, percent(shares))


def _logarithmic(ax: Axes, ticks: Sequence[int]) -> None:
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(list(ticks)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.set_ylim(0, 104)


def _in_words(label: str, curve: Curve) -> str:
    return f"{label}: {', '.join(map(number_words, curve.band.values))}"
