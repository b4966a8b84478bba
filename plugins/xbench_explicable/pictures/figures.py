"""Pictures of the explicability protocol: points, pairs, losses, and confusions (Figure 2)."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from matplotlib.axes import Axes

from xbench import (
    Band,
    Drawing,
    Draws,
    Resampling,
    Role,
    Rows,
    Score,
    scores_by_name,
    summarised,
)
from xbench.figures import (
    COLOURS,
    HEADING,
    INK,
    MIST,
    PALE,
    SMALL,
    WIDE,
    WORDS,
    Curve,
    blank_figure,
    draw_bars,
    legend,
    level_words,
    percent,
    style_axes,
    write,
)
from xbench_explicable.kernels.explicability import Pair
from xbench_explicable.pictures.caption import broken
from xbench_explicable.pictures.heat_map import heat_map
from xbench_explicable.protocol.rows import LOSS
from xbench_explicable.protocol.summary import answers_by_set, pairs, scores_by_label

ROW, FRAME = 0.24, 1.5
"""Inches: of a bar, and of what stands above and below all bars."""
PANELS = (
    ("hard score", "Hard: alone the nearest (%)"),
    ("soft score", "Soft: share of points (%)"),
    ("closeness of common mistakes", "Closeness of mistakes (%)"),
)
SHARES = (
    ("closer", COLOURS[0], "the first is closer"),
    ("same", MIST, "same class"),
    ("level", PALE, "another class, as close"),
    ("farther", COLOURS[1], "the second is closer"),
)
MOST_PAIRS = 60
"""How many bars the picture of pairs has room for."""
PALEST = 0.62
"""The best of a column of losses is this far from white, the worst is white ..."""
LEAST_SPREAD = 0.1
"""... unless it is nearer to the best than this share: small differences look small."""


class Results(NamedTuple):
    """What every drawing draws from: the compared entries alone."""

    rows: Mapping[str, Sequence[Rows]]
    losses: tuple[str, ...]
    scores: Mapping[str, Mapping[str, Score]]
    """By label and name."""
    level: str
    """How wide intervals are."""

    @property
    def labels(self) -> list[str]:
        """The entries, in the benchmark's order."""
        return list(self.rows)

    @property
    def sets(self) -> list[str]:
        """The test sets, in the order of their cases."""
        return [name.partition("@")[2] for name in self._first() if name.startswith("accuracy@")]

    def _first(self) -> Mapping[str, Score]:
        return self.scores[self.labels[0]]


def figures(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    losses: Sequence[str],
    resampling: Resampling,
) -> dict[str, Drawing]:
    """Points by set, pairs, the table of losses, and each entry's confusions."""
    entries = {label: tables for label, tables in rows.items() if roles[label] == "entry"}
    scores = _summaries(entries, losses, resampling)
    results = Results(entries, tuple(losses), scores, level_words(resampling))
    drawings = {}
    if len(entries) > 1:
        drawings = {
            "explicability": points_by_set(results),
            "explicability-pairs": shares_of_pairs(results),
        }
    if losses:
        drawings["explicability-losses"] = loss_table(results)
    for place, label in enumerate(entries):
        drawings[f"confusion-{place + 1}"] = confusions(results, label)
    return drawings


def _summaries(
    rows: Mapping[str, Sequence[Rows]], losses: Sequence[str], resampling: Resampling
) -> dict[str, dict[str, Score]]:
    """Scores over all repeats, as tables have them."""
    repeats = range(len(next(iter(rows.values()))))
    scores = [scores_by_label({label: rows[label][n] for label in rows}, losses) for n in repeats]
    draws = Draws(resampling)
    summaries: dict[str, dict[str, Score]] = {}
    for label in rows:
        by_name = [scores_by_name(repeat[label]) for repeat in scores]
        summaries[label] = {
            name: summarised([repeat[name] for repeat in by_name], resampling, draws)
            for name in by_name[0]
        }
    return summaries


def points_by_set(results: Results) -> Drawing:
    """A panel for each measure, a group of bars for each set, chance as a mark on each bar."""
    height = FRAME + ROW * len(results.sets) * (len(results.labels) + 1)
    figure = blank_figure(WIDE, max(height, 2.6), laid_out=True)
    axes = figure.subplots(1, len(PANELS), sharey=True)
    for ax, (measure, across) in zip(axes, PANELS, strict=True):
        style_axes(ax, across, grid="x")
        _panel(ax, results, measure)
    set_labels = [_set_label(results, name) for name in results.sets]
    axes[0].set_yticks(
        range(len(set_labels)), set_labels, color=INK, fontsize=WORDS, parse_math=False
    )
    axes[0].set_ylim(len(set_labels) - 0.5, -0.5)
    legend(figure, axes[0], below=True)
    caption = (
        "Images that all get wrong: how often each one's class alone is the nearest to the true "
        "one (hard), points when ties are shared (soft), and how near its classes are, the "
        f"nearest wrong class being 100 %. Intervals of {results.level} over images; black marks "
        "are what wrong classes at random would give."
    )
    words = "; ".join(_points_in_words(results, label) for label in results.labels)
    return Drawing(figure, "Whose mistakes are nearest", caption, f"{words}.")


def _panel(ax: Axes, results: Results, measure: str) -> None:
    """Bars of one measure, and what chance would give across each."""
    scores = [
        [results.scores[label][f"{measure}@{name}"] for name in results.sets]
        for label in results.labels
    ]
    across = np.arange(len(results.sets))
    labelled_scores = zip(results.labels, scores, strict=True)
    places = draw_bars(
        ax,
        [
            Curve(label, "entry", across, _percent(entry_scores))
            for label, entry_scores in labelled_scores
        ],
    )
    half = 0.45 / (len(results.labels) + 1)
    for at, entry_scores in zip(places, scores, strict=True):
        for y, score in zip(at, entry_scores, strict=True):
            if score.chance is not None:
                chance = 100 * score.chance
                ax.vlines(chance, y - half, y + half, color=INK, linewidth=2.2, zorder=5)
    ax.set_xlim(0, max(1.0, ax.get_xlim()[1]))


def _percent(scores: Sequence[Score]) -> Band:
    return percent(Band(*np.array([[score.value, score.low, score.high] for score in scores]).T))


def _set_label(results: Results, name: str) -> str:
    """The set, and how many images all get wrong."""
    common = results.scores[results.labels[0]][f"similarity of common mistakes@{name}"]
    return f"{fill(name, 18)}\n{common.n} images"


def _points_in_words(results: Results, label: str) -> str:
    scores = results.scores[label]
    points = ", ".join(
        f"{measure} {_share(scores[f'{measure}@{name}'].value)} on {name}"
        for name in results.sets
        for measure, _ in PANELS
    )
    return f"{label}: {points}"


def _share(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


def shares_of_pairs(results: Results) -> Drawing:
    """A bar of shares for each two entries and each set."""
    all_pairs = list(_pairs(results))
    bars = all_pairs[:MOST_PAIRS]
    height = FRAME + 1.6 * ROW * len(bars)
    figure = blank_figure(WIDE, max(height, 2.4), laid_out=True)
    ax = figure.add_subplot()
    style_axes(ax, "Images that both get wrong (%)", grid="x")
    for place, (_, pair) in enumerate(bars):
        _shares(ax, place, pair)
    bar_labels = [f"{title}\n{pair.images} images" for title, pair in bars]
    ax.set_yticks(range(len(bars)), bar_labels, color=INK, fontsize=SMALL, parse_math=False)
    ax.set_ylim(len(bars) - 0.4, -0.6)
    ax.set_xlim(0, 100)
    legend(figure, ax, below=True)
    rest = len(all_pairs) - len(bars)
    left_out = f" {rest} more pairs are in the record's notes." if rest else ""
    caption = (
        "Of the images that both of two classifiers get wrong, the shares in which they take "
        f"them for the same class, or one of them for a class that is nearer.{left_out}"
    )
    words = "; ".join(_pair_in_words(title, pair) for title, pair in bars)
    return Drawing(figure, "Mistakes of two", caption, f"{words}.")


def _shares(ax: Axes, place: int, pair: Pair) -> None:
    """The shares of two entries' mistakes, one after the other."""
    left = 0.0
    bar: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.6}
    middle: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL}
    for name, colour, words in SHARES:
        share = 100 * getattr(pair, name) / pair.images if pair.images else 0.0
        ax.barh(place, share, 0.72, left=left, color=colour, label=words, **bar)
        if share >= 6:
            ink = INK if name in ("same", "level") else "white"
            write(ax, (left + share / 2, place), f"{share:.0f}", **{**middle, "color": ink})
        left += share


def _pairs(results: Results) -> Iterator[tuple[str, Pair]]:
    """Each two entries once, set by set, over all repeats."""
    tables = {label: pa.concat_tables(repeats) for label, repeats in results.rows.items()}
    answers = answers_by_set(tables)
    for name in results.sets:
        set_pairs = pairs(answers[name])
        for place, label in enumerate(results.labels):
            for other in results.labels[place + 1 :]:
                suffix = f" on {name}" if len(results.sets) > 1 else ""
                yield f"{label} | {other}{suffix}", set_pairs[label][other]


def _pair_in_words(title: str, pair: Pair) -> str:
    shares = (
        f"{words} {100 * getattr(pair, name) / pair.images:.0f} %" if pair.images else f"{words} –"
        for name, _, words in SHARES
    )
    return f"{title} ({pair.images} images): {', '.join(shares)}"


def loss_table(results: Results) -> Drawing:
    """The appendix's table: each entry under each loss, the lowest of a column darkest."""
    labels, count = results.labels, len(results.sets)
    height = 1.0 + count * (0.75 + 0.42 * len(labels))
    figure = blank_figure(WIDE, height, laid_out=True)
    axes = figure.subplots(count, 1, squeeze=False)[:, 0]
    words = []
    for ax, name in zip(axes, results.sets, strict=True):
        values = np.array(
            [
                [results.scores[label][f"{LOSS}{loss}@{name}"].value for loss in results.losses]
                for label in labels
            ]
        )
        _table(ax, values, results)
        ax.set_title(name, color=INK, fontsize=HEADING, loc="left", parse_math=False)
        words += [
            f"{label} on {name}: "
            + ", ".join(
                f"{loss} {value:.2f}" for loss, value in zip(results.losses, row, strict=True)
            )
            for label, row in zip(labels, values, strict=True)
        ]
    caption = (
        "Mean loss of each classifier (rows) under each loss (columns); in each column the lowest "
        "is darkest. A classifier tends to be best under the loss it was trained with."
    )
    return Drawing(figure, "Losses under every loss", caption, f"{'; '.join(words)}.")


def _table(ax: Axes, values: np.ndarray, results: Results) -> None:
    low, high = values.min(0), values.max(0)
    spread = np.maximum(high - low, LEAST_SPREAD * np.abs(high)) + np.finfo(float).tiny
    ax.imshow(PALEST * (1 - (values - low) / spread), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        best = "bold" if value == low[column] else "normal"
        style = {"ha": "center", "va": "center", "fontsize": WORDS, "fontweight": best}
        write(ax, (column, row), f"{value:.2f}", **style)
    loss_labels = [broken(loss, max(12, 84 // len(results.losses))) for loss in results.losses]
    ax.set_xticks(range(len(results.losses)), loss_labels, fontsize=SMALL, parse_math=False)
    entry_labels = [fill(label, 30, break_long_words=False) for label in results.labels]
    ax.set_yticks(range(len(entry_labels)), entry_labels, fontsize=WORDS, parse_math=False)
    ax.tick_params(length=0, colors=INK)
    ax.spines[:].set_visible(False)


def confusions(results: Results, label: str) -> Drawing:
    """What the images of each class of the first set are taken for, over all repeats."""
    first = results.sets[0]
    table = pa.concat_tables(results.rows[label])
    in_first = table.column("set").cast(pa.string()).to_numpy(zero_copy_only=False) == first
    true, predicted = (table.column(n).to_numpy()[in_first] for n in ("label", "predicted"))
    names = _class_names(table)
    places = {number: place for place, number in enumerate(names)}
    counts = np.zeros((len(names), len(names)))
    cells = ([places[n] for n in true.tolist()], [places[n] for n in predicted.tolist()])
    np.add.at(counts, cells, 1)
    sums = counts.sum(1, keepdims=True)
    shares = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0)
    figure = heat_map(
        torch.from_numpy(shares), tuple(names.values()), f"{label}, {first}", log=True
    )
    worst = np.where(np.eye(len(names), dtype=bool), -1, counts)
    at = np.unravel_index(worst.argmax(), worst.shape)
    class_names = list(names.values())
    text = (
        f"Accuracy {100 * np.trace(counts) / max(counts.sum(), 1):.1f} %. Most frequent mistake: "
        f"{class_names[at[0]]} taken for {class_names[at[1]]}, {int(counts[at])} images."
    )
    caption = (
        "Shares of the images of each true class (rows) that are taken for each class (columns); "
        "shades follow the logarithm, grey is never."
    )
    return Drawing(figure, f"Confusions of {label}", caption, text)


def _class_names(table: Rows) -> dict[int, str]:
    """The classes that images have or are taken for, in the order of their labels."""
    names = {}
    for number, name in (("label", "class"), ("predicted", "predicted_class")):
        labels, places = np.unique(table.column(number).to_numpy(), return_index=True)
        words = table.column(name).cast(pa.string())
        names.update({int(n): words[int(p)].as_py() for n, p in zip(labels, places, strict=True)})
    return dict(sorted(names.items()))
