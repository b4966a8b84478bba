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
    image_names,
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
    """One line of the benchmark, with the scores of its repeats."""

    label: str
    role: Role
    tables: tuple[pa.Table, ...]
    scores: tuple[tuple[ScenarioScores, ...], ...]
    """By repeat and scenario, at the largest strength."""


class Results(NamedTuple):
    """What every drawing draws from."""

    lines: tuple[Line, ...]
    scoring: Scoring
    draws: Draws

    @property
    def level(self) -> str:
        """How wide intervals are."""
        return level_words(self.draws.resampling)


def figures(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    scoring: Scoring,
    resampling: Resampling,
) -> dict[str, Drawing]:
    """Recovery by scenario, by images together, by rank and, for several, by strength."""
    results = Results(tuple(_lines(rows, roles, scoring)), scoring, Draws(resampling))
    drawings = {
        "recovery": recovery_by_scenario(results),
        "recovery-batches": recovery_by_batch_size(results),
        "recovery-ranks": recovery_by_rank(results),
    }
    if len(scoring.strengths) > 1:
        drawings["recovery-strength"] = recovery_by_strength(results)
    return drawings


def _lines(
    rows: Mapping[str, Sequence[Rows]], roles: Mapping[str, Role], scoring: Scoring
) -> Iterator[Line]:
    """Entries first, then ceilings, then floors."""
    for label in sorted(rows, key=lambda label: ORDER.index(roles[label])):
        scores = tuple(
            _scenario_scores(table, scoring, scoring.strengths[-1]) for table in rows[label]
        )
        yield Line(label, roles[label], tuple(rows[label]), scores)


def _scenario_scores(
    table: pa.Table, scoring: Scoring, strength: float
) -> tuple[ScenarioScores, ...]:
    return tuple(scores_in(table, scenario, strength) for scenario in scoring.scenarios)


def recovery_by_scenario(results: Results) -> Drawing:
    """One group of bars for each scenario, with what guessing would give."""
    scoring, top = results.scoring, results.scoring.top
    places = np.arange(len(scoring.scenarios))
    height = FRAME + ROW * len(places) * (len(results.lines) + 1)
    across = f"Images whose true concept is among the top {top} (%)"
    figure, ax = chart(across, "", lines=len(results.lines) + 1, height=height)
    bars = [
        _percent_curve(
            line,
            places,
            joined([_scenario_recovery(results, line, scenario) for scenario in places.tolist()]),
        )
        for line in results.lines
    ]
    draw_bars(ax, bars)
    _chance(ax, results)
    labels = [_scenario_label(results, scenario) for scenario in places.tolist()]
    ax.set_yticks(places, labels, color=INK, fontsize=WORDS, parse_math=False)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xlim(0, 104)
    ax.grid(visible=False, axis="y")
    legend(figure, ax, last=GUESSING)
    words = [_scenarios_in_words(results, bar) for bar in bars]
    caption = (
        f"How often the concept of the confounding context is among the {top} concepts that "
        f"score highest, image by image, with {results.level} intervals over images. Below each "
        f"scenario: accuracy of {results.lines[0].label!r} in distribution → out of "
        "distribution."
    )
    text = "Values in per cent. " + "; ".join(words) + "."
    return Drawing(figure, f"Recovery at {top} by scenario", caption, text)


def _scenarios_in_words(results: Results, bars: Curve) -> str:
    values = zip(results.scoring.scenarios, bars.band.values, strict=True)
    words = ", ".join(f"{scenario.label} {number_words(value)}" for scenario, value in values)
    return f"{bars.label}: {words}"


def _scenario_recovery(results: Results, line: Line, scenario: int) -> Band:
    scoring = results.scoring
    return _band(
        results, (singles(repeat[scenario], scoring, scoring.top) for repeat in line.scores)
    )


def _chance(ax: Axes, results: Results) -> None:
    places = np.arange(len(results.scoring.scenarios))
    chances = [100 * _guessing(results, scenario) for scenario in places.tolist()]
    dotted: dict[str, Any] = {"colors": INK, "linewidths": 1.2, "linestyles": "dotted", "zorder": 5}
    ax.vlines(chances, places - 0.42, places + 0.42, label=GUESSING, **dotted)


def _guessing(results: Results, scenario: int) -> float:
    """What a random order of the first line's concepts is expected to recover."""
    parts = [
        singles(repeat[scenario], results.scoring, results.scoring.top)
        for repeat in results.lines[0].scores
    ]
    chances = np.concatenate([part.chance for part in parts if part.chance is not None])
    return float(chances.mean()) if len(chances) else np.nan


def _scenario_label(results: Results, place: int) -> str:
    scenario, strongest = results.scoring.scenarios[place], results.scoring.strengths[-1]
    means = []
    for which in ("in", "out"):
        parts = (
            accuracy_in(table, scenario, strongest, which) for table in results.lines[0].tables
        )
        means.append(number_words(100 * _band(results, parts).values[0], 0))
    lost = _kept_share(results.lines[0], place) == 0
    accuracies = f"accuracy {' → '.join(means)} %"
    return "\n".join(
        [fill(scenario.label, 30), accuracies, *(["concept not kept"] if lost else [])]
    )


def _kept_share(line: Line, scenario: int) -> float:
    """The share of images whose bank has kept the true concept; NaN without images."""
    ranks = np.concatenate([repeat[scenario].ranks() for repeat in line.scores])
    return float((~np.isnan(ranks)).mean()) if len(ranks) else np.nan


def recovery_by_batch_size(results: Results) -> Drawing:
    """Recovery against the number of images whose scores are added up."""
    scoring = results.scoring
    sizes = np.array(scoring.batch_sizes, np.float64)
    first, hardest = results.lines[0], _hardest(results, results.lines[0])
    lines = len(results.lines) + len(hardest)
    figure, ax = chart("Images explained together", f"Recovery at {scoring.top} (%)", lines=lines)
    scenarios = range(len(scoring.scenarios))
    curves = [
        _percent_curve(line, sizes, _batch_recoveries(results, line, scenarios))
        for line in results.lines
    ]
    draw_curves(ax, curves)
    words = [_curve_in_words(curve.label, curve) for curve in curves]
    for scenario, marker in zip(hardest, DOTS, strict=False):
        name = scoring.scenarios[scenario].label
        curve = _percent_curve(first, sizes, _batch_recoveries(results, first, [scenario]))
        dotted = look(first.role, 0)
        dotted = dotted._replace(marker=marker, edge=dotted.colour, dashes=(0, (1, 1.4)), width=1.3)
        draw_curve(ax, curve._replace(label=f"{name} alone"), dotted, shaded=False)
        words.append(_curve_in_words(f"{first.label}, {name} alone", curve))
    _logarithmic(ax, scoring.batch_sizes)
    legend(figure, ax)
    caption = (
        f"How often the concept of the confounding context is among the {scoring.top} highest when "
        "scores of several images are added up: means over all scenarios, with "
        f"{results.level} intervals over disjoint batches; dotted, the scenarios in which "
        f"{first.label!r} recovers it least from single images."
    )
    at = ", ".join(map(str, scoring.batch_sizes))
    text = f"Values in per cent for {at} images together. " + "; ".join(words) + "."
    return Drawing(figure, f"Recovery at {scoring.top} of images together", caption, text)


def _batch_recoveries(results: Results, line: Line, scenarios: Sequence[int]) -> Band:
    """Recovery in these scenarios: one point for each size of batches."""
    return joined(
        [
            _band(results, _batches(results, line, scenarios, size))
            for size in results.scoring.batch_sizes
        ]
    )


def _batches(results: Results, line: Line, scenarios: Sequence[int], size: int) -> Iterator[Part]:
    for repeat in line.scores:
        parts = list(of_batches(repeat, results.scoring, size))
        yield from (parts[scenario] for scenario in scenarios)


def _hardest(results: Results, line: Line) -> list[int]:
    """Scenarios of lowest recovery from single images, where there is something to gain."""
    means = [
        _scenario_recovery(results, line, scenario).values[0]
        for scenario in range(len(results.scoring.scenarios))
    ]
    lowest = [int(scenario) for scenario in np.argsort(means, kind="stable")[: len(DOTS)]]
    return [scenario for scenario in lowest if means[scenario] < 1] if len(means) > 1 else []


def recovery_by_rank(results: Results) -> Drawing:
    """Recovery at every k: how ranks of the true concept are distributed."""
    widths = [
        scores.raw.shape[1] for line in results.lines for repeat in line.scores for scores in repeat
    ]
    most = max(2, *widths, *results.scoring.tops)
    tops = np.arange(1, most + 1)
    upwards = "Images whose true concept is among the top k (%)"
    figure, ax = chart("k", upwards, lines=len(results.lines))
    words, curves = [], []
    for line in results.lines:
        parts = (_rank_recovery(scores, tops) for repeat in line.scores for scores in repeat)
        recovery = _band(results, parts)
        curves.append(_percent_curve(line, tops, recovery))
        values = ", ".join(
            f"{k}: {number_words(100 * recovery.values[k - 1])}" for k in results.scoring.tops
        )
        words.append(f"{line.label}: at {values}")
    draw_curves(ax, curves, marked=())
    ax.set_xlim(1, most)
    _logarithmic(ax, [tick for tick in TICKS if tick <= most])
    legend(figure, ax)
    caption = (
        "How often the concept of the confounding context is among the k concepts that score "
        f"highest, over all scenarios, with {results.level} intervals over images."
    )
    return Drawing(figure, "Recovery at every k", caption, "In per cent. " + "; ".join(words) + ".")


def _rank_recovery(scores: ScenarioScores, tops: np.ndarray) -> Part:
    ranks = scores.ranks()[:, None]
    return Part(scores.cases, among(np.broadcast_to(ranks, (len(ranks), len(tops))), tops))


def recovery_by_strength(results: Results) -> Drawing:
    """Recovery against the share of the class's training images that show the context."""
    scoring = results.scoring
    strengths = 100 * np.array(scoring.strengths)
    across = "Training images of the class that show the context (%)"
    figure, ax = chart(across, f"Recovery at {scoring.top} (%)", lines=len(results.lines))
    curves = [
        _percent_curve(
            line,
            strengths,
            joined([_strength_recovery(results, line, strength) for strength in scoring.strengths]),
        )
        for line in results.lines
    ]
    draw_curves(ax, curves)
    words = [_curve_in_words(curve.label, curve) for curve in curves]
    ax.xaxis.set_major_locator(FixedLocator(strengths.tolist()))
    ax.set_ylim(0, 104)
    legend(figure, ax)
    caption = (
        f"How often the concept of the confounding context is among the {scoring.top} concepts "
        "that score highest when only a part of the class's training images shows it: means over "
        f"all scenarios, with {results.level} intervals over images."
    )
    at = ", ".join(f"{value:g}" for value in strengths)
    text = f"Values in per cent at {at} % of training images. " + "; ".join(words) + "."
    return Drawing(figure, f"Recovery at {scoring.top} by strength", caption, text)


def _strength_recovery(results: Results, line: Line, strength: float) -> Band:
    scoring = results.scoring
    scenario_scores = (
        scores for table in line.tables for scores in _scenario_scores(table, scoring, strength)
    )
    return _band(results, (singles(scores, scoring, scoring.top) for scores in scenario_scores))


def _band(results: Results, parts: Iterable[Part]) -> Band:
    """Means over all images of the parts, with intervals."""
    pieces = list(parts)
    values = np.concatenate([part.values for part in pieces])
    columns = values[:, None] if values.ndim == 1 else values
    clusters = image_names(np.concatenate([part.cases for part in pieces]))
    return band(clusters, columns, results.draws)


def _percent_curve(line: Line, across: Float64[np.ndarray, " points"], shares: Band) -> Curve:
    """The curve of a line, in per cent."""
    return Curve(line.label, line.role, across, percent(shares))


def _logarithmic(ax: Axes, ticks: Sequence[int]) -> None:
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(list(ticks)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.set_ylim(0, 104)


def _curve_in_words(label: str, curve: Curve) -> str:
    return f"{label}: {', '.join(map(number_words, curve.band.values))}"
