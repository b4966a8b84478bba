"""Pictures of the human-fit protocol."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float64
from matplotlib.axes import Axes

from xbench import Band, Drawing, Draws, Resampling, Role, Rows, band
from xbench.figures import (
    FAINT,
    HEADING,
    INK,
    ORDER,
    SMALL,
    WIDE,
    Curve,
    blank_figure,
    chart,
    draw_bars,
    draw_curves,
    legend,
    level_words,
    number_words,
    percent,
    style_axes,
)
from xbench_softlabels.fit.ceilings import SINGLE, SMOOTHING, WHOLE, people_ceilings
from xbench_softlabels.fit.entropy_bins import NAMES, entropy_bins
from xbench_softlabels.fit.fold_figure import FoldLine, over_folds
from xbench_softlabels.fit.notes import BINS
from xbench_softlabels.fit.over_folds import fold_means
from xbench_softlabels.fit.rows import FitColumns, fit_columns
from xbench_softlabels.fit.summary import yardsticks
from xbench_softlabels.kernels.calibration import equal_mass_bins

MARKS: Mapping[str, tuple[str, object]] = {
    "entropy": ("{}' own entropy", "solid"),
    "true class": ("what {} say of the true class", (0, (6, 2))),
}
"""Yardsticks that are drawn, with their words and dashes."""
DRAWN = {
    SINGLE: "for each image",
    WHOLE: "in one order for all images",
}
"""How annotators are drawn who predict the others."""
UNSURE, SURE = "Predicted class is wrong", "Predicted class is right"


class Line(NamedTuple):
    """One line of the benchmark, with the rows of all repeats."""

    label: str
    role: Role
    columns: FitColumns


def figures(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    resampling: Resampling,
    folds: int,
) -> dict[str, Drawing]:
    """Fit by people's entropy, confidence, reliability, folds, and what people reach themselves."""
    labels = sorted(rows, key=lambda label: ORDER.index(roles[label]))
    lines = [
        Line(label, roles[label], fit_columns(pa.concat_tables(rows[label]).unify_dictionaries()))
        for label in labels
    ]
    draws = Draws(resampling)
    means = [FoldLine(line.label, line.role, fold_means(line.columns)) for line in lines]
    return {
        "fit-by-entropy": fit_by_entropy(lines, draws),
        **over_folds(means, folds, lines[0].columns.whom, resampling),
        "confidence": confidence(lines, draws),
        "reliability": reliability(lines, draws),
        "people-predict-people": ceiling(lines, draws),
    }


def fit_by_entropy(lines: Sequence[Line], draws: Draws) -> Drawing:
    """The cross-entropy in each bin of people's entropy that has images."""
    first, whom = lines[0].columns, lines[0].columns.whom
    bins = np.unique(entropy_bins(first.human_entropy))
    across = np.arange(len(bins), dtype=np.float64)
    names = [NAMES[number] for number in bins]
    figure, ax = chart(f"Entropy of an image's labels by {whom} (nats)", "", lines=len(lines) + 2)
    ax.set_ylabel(f"Cross-entropy to {whom} (nats)", color=INK)
    curves = [
        Curve(
            line.label, line.role, across, _by_bin(line.columns, line.columns.cross_entropy, draws)
        )
        for line in lines
    ]
    draw_curves(ax, curves)
    for name, (words, dashes) in MARKS.items():
        values = _by_bin(first, yardsticks(first)[name], draws).values
        ax.plot(across, values, color=FAINT, linestyle=dashes, label=words.format(whom))
    sizes = np.bincount(entropy_bins(first.human_entropy), minlength=len(NAMES))[bins]
    ticks = [f"{name}\n{size} images" for name, size in zip(names, sizes, strict=True)]
    ax.set_xticks(across, ticks, fontsize=SMALL)
    legend(figure, ax)
    caption = (
        f"Images by how much {whom} disagree, from those on which all agree to those that divide "
        "them: a curve near the solid grey line leaves nothing to gain, one that lies high on the "
        "left is too unsure, and one that lies high on the right is too sure. Bands are "
        f"{level_words(draws.resampling)} intervals over images."
    )
    text = f"Bins {', '.join(names)}. {_in_words(curves)}"
    return Drawing(figure, f"Fit by how much {whom} disagree", caption, text)


def _by_bin(columns: FitColumns, values: Float64[np.ndarray, " n"], draws: Draws) -> Band:
    bins = entropy_bins(columns.human_entropy)
    return band(columns.cases, _columns_of(values, bins), draws)


def _columns_of(
    values: Float64[np.ndarray, " n"], places: np.ndarray
) -> Float64[np.ndarray, "n present"]:
    """A column for each place that has images, NaN for those of other places."""
    return np.where(places[:, None] == np.unique(places), values[:, None], np.nan)


def confidence(lines: Sequence[Line], draws: Draws) -> Drawing:
    """The confidence when right and when wrong of each line: Figure 3A."""
    figure = blank_figure(WIDE, 1.6 + 0.5 * (len(lines) + 1), laid_out=True)
    ax = figure.add_subplot()
    style_axes(ax, "Probability of the predicted class (%)", grid="x")
    across = np.arange(2, dtype=np.float64)
    curves = [Curve(line.label, line.role, across, _confidences(line, draws)) for line in lines]
    draw_bars(ax, curves)
    ax.set_yticks(across, [SURE, UNSURE])
    ax.set_ylim(1.5, -0.5)
    ax.set_xlim(0, 100)
    legend(figure, ax, below=True)
    caption = (
        "How sure networks are where they are right and where they are wrong (Figure 3A of the "
        "paper): the further the lower bars lie below the upper ones, the better a network knows "
        f"when it errs. Intervals of {level_words(draws.resampling)} over images."
    )
    return Drawing(figure, "Confidence when right and when wrong", caption, _in_words(curves))


def _confidences(line: Line, draws: Draws) -> Band:
    columns = line.columns
    groups = np.stack([columns.right, ~columns.right], 1)
    return percent(
        band(columns.cases, np.where(groups, columns.confidence[:, None], np.nan), draws)
    )


def reliability(lines: Sequence[Line], draws: Draws) -> Drawing:
    """What comes true against confidence: of labels, and of the share of people who agree."""
    whom = lines[0].columns.whom
    figure = blank_figure(WIDE, 4.8, laid_out=True)
    axes = figure.subplots(1, 2, sharey=True)
    columns = [line.columns for line in lines]
    shares = {
        "Share of images whose label it is (%)": [of.right.astype(np.float64) for of in columns],
        f"Share of {whom} who chose it (%)": [of.agreeing for of in columns],
    }
    words = []
    for ax, (title, outcomes) in zip(axes, shares.items(), strict=True):
        pairs = zip(lines, outcomes, strict=True)
        curves = [_reliability(line, outcome, draws) for line, outcome in pairs]
        _panel(ax, title, curves)
        words.append(f"{title}: {_in_words(curves)}")
    legend(figure, axes[0], below=True)
    caption = (
        f"Images in {BINS} groups of the same size by how sure the network is of the class that it "
        "predicts. On the dashed line it is as sure as it should be; below it, it is too sure. "
        f"Bands are {level_words(draws.resampling)} intervals over images, in fixed groups."
    )
    return Drawing(figure, "Reliability", caption, " ".join(words))


def _reliability(line: Line, outcomes: Float64[np.ndarray, " n"], draws: Draws) -> Curve:
    columns = line.columns
    bins = equal_mass_bins(columns.confidence, BINS)
    outcome = percent(band(columns.cases, _columns_of(outcomes, bins), draws))
    across = 100 * np.nanmean(_columns_of(columns.confidence, bins), axis=0)
    return Curve(line.label, line.role, across, outcome)


def _panel(ax: Axes, title: str, curves: Sequence[Curve]) -> None:
    style_axes(ax, "Probability of the predicted class (%)")
    ax.set_title(title, color=INK, fontsize=HEADING)
    ax.plot([0, 100], [0, 100], color=FAINT, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
    draw_curves(ax, curves)
    low = min(float(curve.across.min(initial=100)) for curve in curves)
    ax.set_xlim(max(low - 3, 0), 101)
    ax.set_ylim(0, 102)


def ceiling(lines: Sequence[Line], draws: Draws) -> Drawing:
    """How well annotators predict the others, by their number, and where networks stand."""
    first = lines[0].columns
    whom, (parted, ceilings, _) = first.whom, people_ceilings(first)
    figure, ax = chart(f"Number of {whom} who predict the others", "", lines=len(lines) + 3)
    ax.set_ylabel(f"Cross-entropy to {whom} (nats)", color=INK)
    numbers = [of.annotators for of in ceilings]
    values = [of.cross_entropy for of in ceilings]
    ax.plot(numbers, values, color=INK, marker="*", markersize=9, label=f"so many {whom}")
    spans = np.array([1.0, max([*numbers, 2])])
    curves = [_level(line, spans, draws) for line in lines]
    draw_curves(ax, curves, marked=[])
    ax.axhline(first.human_entropy.mean(), color=FAINT, label=MARKS["entropy"][0].format(whom))
    ax.set_xscale("log", base=2)
    ax.set_xticks(numbers, list(map(str, numbers)))
    ax.minorticks_off()
    legend(figure, ax)
    caption = (
        f"What so many {whom}, drawn at random {DRAWN[parted]}, reach when their shares (and "
        f"{SMOOTHING:g} more annotator, spread evenly) predict the others, on average: where a "
        "network's line crosses the curve, it predicts as well as so many. Bands are "
        f"{level_words(draws.resampling)} intervals over images."
    )
    told = ", ".join(f"{of.annotators}: {number_words(of.cross_entropy, 3)}" for of in ceilings)
    text = f"By number of {whom}: {told or 'too few for any'}. {_in_words(curves)}"
    return Drawing(figure, f"What {whom} reach themselves", caption, text)


def _level(line: Line, spans: Float64[np.ndarray, " ends"], draws: Draws) -> Curve:
    """A line across at the mean of all images."""
    values = np.repeat(line.columns.cross_entropy[:, None], len(spans), 1)
    return Curve(line.label, line.role, spans, band(line.columns.cases, values, draws))


def _in_words(curves: Sequence[Curve]) -> str:
    texts = (
        f"{curve.label}: {', '.join(number_words(value, 3) for value in curve.band.values)}"
        for curve in curves
    )
    return f"{'; '.join(texts)}."
