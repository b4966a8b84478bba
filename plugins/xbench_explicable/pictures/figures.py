"""Pictures of the explicability protocol: points, pairs, losses, and confusions (Figure 2)."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from xbench import Drawing, Draws, Resampling, Role, Rows, Score, scores_by_name, summarised
from xbench_explicable.kernels.explicability import Pair
from xbench_explicable.pictures.caption import broken
from xbench_explicable.pictures.heat_map import heat_map
from xbench_explicable.protocol.rows import LOSS
from xbench_explicable.protocol.summary import pairs, scored, sets

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#B8860B", "#56B4E9", "#8c510a", "#5f5f5f")
HATCHES = ("", "////", "....", "xxxx")
INK, FAINT, GRID = "#222222", "#777777", "#e4e4e4"
WIDTH, ROW, FRAME = 9.4, 0.24, 1.5
"""Inches: of a picture, of a bar, and of what stands above and below all bars."""
PANELS = (
    ("hard score", "Hard: alone the nearest (%)"),
    ("soft score", "Soft: share of points (%)"),
    ("closeness of common mistakes", "Closeness of mistakes (%)"),
)
SHARES = (
    ("closer", "#0072B2", "the first is closer"),
    ("same", "#d9d9d9", "same class"),
    ("level", "#a6a6a6", "another class, as close"),
    ("farther", "#D55E00", "the second is closer"),
)
MOST_PAIRS = 60
"""How many bars the picture of pairs has room for."""
PALEST = 0.62
"""The best of a column of losses is this far from white, the worst is white ..."""
LEAST_SPREAD = 0.1
"""... unless it is nearer to the best than this share: small differences look small."""


class Picture(NamedTuple):
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


def drawn(
    rows: Mapping[str, Sequence[Rows]],
    roles: Mapping[str, Role],
    losses: Sequence[str],
    resampling: Resampling,
) -> dict[str, Drawing]:
    """Points by set, pairs, the table of losses, and each entry's confusions."""
    entries = {label: of for label, of in rows.items() if roles[label] == "entry"}
    scores = _summaries(entries, losses, resampling)
    level = f"{resampling.level:.0%}".replace("%", " %")
    picture = Picture(entries, tuple(losses), scores, level)
    made = {}
    if len(entries) > 1:
        made = {"explicability": by_set(picture), "explicability-pairs": of_pairs(picture)}
    if losses:
        made["explicability-losses"] = of_losses(picture)
    for place, label in enumerate(entries):
        made[f"confusion-{place + 1}"] = confusions(picture, label)
    return made


def _summaries(
    rows: Mapping[str, Sequence[Rows]], losses: Sequence[str], resampling: Resampling
) -> dict[str, dict[str, Score]]:
    """Scores over all repeats, as tables have them."""
    repeats = range(len(next(iter(rows.values()))))
    of_repeat = [scored({label: of[n] for label, of in rows.items()}, losses) for n in repeats]
    draws = Draws(resampling)
    made: dict[str, dict[str, Score]] = {}
    for label in rows:
        named = [scores_by_name(of[label]) for of in of_repeat]
        made[label] = {
            name: summarised([of[name] for of in named], resampling, draws) for name in named[0]
        }
    return made


def by_set(picture: Picture) -> Drawing:
    """A panel for each measure, a group of bars for each set, chance as a mark on each bar."""
    height = FRAME + ROW * len(picture.sets) * (len(picture.labels) + 1)
    figure = Figure(figsize=(WIDTH, max(height, 2.6)), facecolor="white", layout="constrained")
    axes = figure.subplots(1, len(PANELS), sharey=True)
    for ax, (measure, upwards) in zip(axes, PANELS, strict=True):
        for place, label in enumerate(picture.labels):
            _bars(
                ax, picture, place, [picture.scores[label][f"{measure}@{s}"] for s in picture.sets]
            )
        ax.set_xlabel(upwards, color=INK)
        ax.set_xlim(left=0)
        _finish(ax)
    axes[0].set_yticks(range(len(picture.sets)), [_set_label(picture, s) for s in picture.sets])
    axes[0].set_ylim(len(picture.sets) - 0.5, -0.5)
    handles, labels = axes[0].get_legend_handles_labels()
    columns = min(4, len(labels))
    figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, frameon=False, labelcolor=INK
    )
    caption = (
        "Images that all get wrong: how often each one's class alone is the nearest to the true "
        "one (hard), points when ties are shared (soft), and how near its classes are, the "
        f"nearest wrong class being 100 %. Intervals of {picture.level} over images; black marks "
        "are what wrong classes at random would give."
    )
    words = "; ".join(_points_in_words(picture, label) for label in picture.labels)
    return Drawing(figure, "Whose mistakes are nearest", caption, f"{words}.")


def _bars(ax: Axes, picture: Picture, place: int, scores: Sequence[Score]) -> None:
    thick = 1 / (len(picture.labels) + 1)
    at = np.arange(len(scores)) + (place - (len(picture.labels) - 1) / 2) * thick
    values = 100 * np.array([[s.value, s.low, s.high] for s in scores])
    ax.barh(
        at,
        values[:, 0],
        thick * 0.9,
        color=COLOURS[place % len(COLOURS)],
        hatch=HATCHES[place // len(COLOURS) % len(HATCHES)],
        edgecolor="white",
        linewidth=0.4,
        label=fill(picture.labels[place], 30, break_long_words=False),
    )
    ax.hlines(at, values[:, 1], values[:, 2], color=INK, linewidth=1)
    for y, score in zip(at, scores, strict=True):
        if score.chance is not None:
            chance = 100 * score.chance
            ax.vlines(chance, y - thick * 0.45, y + thick * 0.45, color=INK, linewidth=2.2)


def _set_label(picture: Picture, name: str) -> str:
    """The set, and how many images all get wrong."""
    common = picture.scores[picture.labels[0]][f"similarity of common mistakes@{name}"]
    return f"{fill(name, 18)}\n{common.n} images"


def _finish(ax: Axes) -> None:
    ax.grid(color=GRID, linewidth=0.7, axis="x")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(colors=INK, length=3)


def _points_in_words(picture: Picture, label: str) -> str:
    of = picture.scores[label]
    told = ", ".join(
        f"{measure} {_percent(of[f'{measure}@{name}'].value)} on {name}"
        for name in picture.sets
        for measure, _ in PANELS
    )
    return f"{label}: {told}"


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


def of_pairs(picture: Picture) -> Drawing:
    """A bar of shares for each two entries and each set."""
    counted = list(_pairs(picture))
    shown = counted[:MOST_PAIRS]
    height = FRAME + 1.6 * ROW * len(shown)
    figure = Figure(figsize=(WIDTH, max(height, 2.4)), facecolor="white", layout="constrained")
    ax = figure.add_subplot()
    for place, (_, of) in enumerate(shown):
        left = 0.0
        for name, colour, _ in SHARES:
            share = 100 * getattr(of, name) / of.images if of.images else 0.0
            ax.barh(place, share, 0.72, left=left, color=colour, edgecolor="white", linewidth=0.6)
            if share >= 6:
                pale = name in ("same", "level")
                ax.text(
                    left + share / 2,
                    place,
                    f"{share:.0f}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color=INK if pale else "white",
                )
            left += share
    _finish(ax)
    ax.set_yticks(range(len(shown)), [f"{title}\n{of.images} images" for title, of in shown])
    ax.tick_params(axis="y", labelsize=8)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(0, 100)
    ax.set_xlabel("Images that both get wrong (%)", color=INK)
    handles = [Patch(color=colour, label=name) for _, colour, name in SHARES]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    rest = len(counted) - len(shown)
    left_out = f" {rest} more pairs are in the record's notes." if rest else ""
    caption = (
        "Of the images that both of two classifiers get wrong, the shares in which they take "
        f"them for the same class, or one of them for a class that is nearer.{left_out}"
    )
    words = "; ".join(_pair_in_words(title, of) for title, of in shown)
    return Drawing(figure, "Mistakes of two", caption, f"{words}.")


def _pairs(picture: Picture) -> Iterator[tuple[str, Pair]]:
    """Each two entries once, set by set, over all repeats."""
    tables = {label: pa.concat_tables(of) for label, of in picture.rows.items()}
    found = sets(tables)
    for name in picture.sets:
        compared = pairs(found[name])
        for place, label in enumerate(picture.labels):
            for other in picture.labels[place + 1 :]:
                of_set = f" on {name}" if len(picture.sets) > 1 else ""
                yield f"{label} | {other}{of_set}", compared[label][other]


def _pair_in_words(title: str, of: Pair) -> str:
    shares = (
        f"{told} {100 * getattr(of, name) / of.images:.0f} %" if of.images else f"{told} –"
        for name, _, told in SHARES
    )
    return f"{title} ({of.images} images): {', '.join(shares)}"


def of_losses(picture: Picture) -> Drawing:
    """The appendix's table: each entry under each loss, the lowest of a column darkest."""
    labels, count = picture.labels, len(picture.sets)
    height = 1.0 + count * (0.75 + 0.42 * len(labels))
    figure = Figure(figsize=(WIDTH, height), facecolor="white", layout="constrained")
    axes = figure.subplots(count, 1, squeeze=False)[:, 0]
    words = []
    for ax, name in zip(axes, picture.sets, strict=True):
        values = np.array(
            [
                [picture.scores[label][f"{LOSS}{loss}@{name}"].value for loss in picture.losses]
                for label in labels
            ]
        )
        _table(ax, values, picture)
        ax.set_title(name, color=INK, fontsize=10, loc="left")
        words += [
            f"{label} on {name}: "
            + ", ".join(f"{loss} {v:.2f}" for loss, v in zip(picture.losses, row, strict=True))
            for label, row in zip(labels, values, strict=True)
        ]
    caption = (
        "Mean loss of each classifier (rows) under each loss (columns); in each column the lowest "
        "is darkest. A classifier tends to be best under the loss it was trained with."
    )
    return Drawing(figure, "Losses under every loss", caption, f"{'; '.join(words)}.")


def _table(ax: Axes, values: np.ndarray, picture: Picture) -> None:
    low, high = values.min(0), values.max(0)
    spread = np.maximum(high - low, LEAST_SPREAD * np.abs(high)) + np.finfo(float).tiny
    ax.imshow(PALEST * (1 - (values - low) / spread), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        best = "bold" if value == low[column] else "normal"
        ax.text(
            column,
            row,
            f"{value:.2f}",
            ha="center",
            va="center",
            color=INK,
            fontsize=9,
            fontweight=best,
        )
    named = [broken(loss, max(12, 84 // len(picture.losses))) for loss in picture.losses]
    ax.set_xticks(range(len(picture.losses)), named, fontsize=8)
    ax.set_yticks(
        range(len(picture.labels)),
        [fill(label, 30, break_long_words=False) for label in picture.labels],
    )
    ax.tick_params(length=0, colors=INK)
    ax.spines[:].set_visible(False)


def confusions(picture: Picture, label: str) -> Drawing:
    """What the images of each class of the first set are taken for, over all repeats."""
    first = picture.sets[0]
    table = pa.concat_tables(picture.rows[label])
    chosen = table.column("set").cast(pa.string()).to_numpy(zero_copy_only=False) == first
    true, predicted = (table.column(n).to_numpy()[chosen] for n in ("label", "predicted"))
    names = _class_names(table)
    places = {number: place for place, number in enumerate(names)}
    counts = np.zeros((len(names), len(names)))
    pairs_of = ([places[n] for n in true.tolist()], [places[n] for n in predicted.tolist()])
    np.add.at(counts, pairs_of, 1)
    sums = counts.sum(1, keepdims=True)
    shares = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0)
    figure = heat_map(
        torch.from_numpy(shares), tuple(names.values()), f"{label}, {first}", log=True
    )
    worst = np.where(np.eye(len(names), dtype=bool), -1, counts)
    at = np.unravel_index(worst.argmax(), worst.shape)
    shown = list(names.values())
    text = (
        f"Accuracy {100 * np.trace(counts) / max(counts.sum(), 1):.1f} %. Most frequent mistake: "
        f"{shown[at[0]]} taken for {shown[at[1]]}, {int(counts[at])} images."
    )
    caption = (
        "Shares of the images of each true class (rows) that are taken for each class (columns); "
        "shades follow the logarithm, grey is never."
    )
    return Drawing(figure, f"Confusions of {label}", caption, text)


def _class_names(table: Rows) -> dict[int, str]:
    """The classes that images have or are taken for, in the order of their labels."""
    found = {}
    for number, name in (("label", "class"), ("predicted", "predicted_class")):
        labels, places = np.unique(table.column(number).to_numpy(), return_index=True)
        words = table.column(name).cast(pa.string())
        found.update({int(n): words[int(p)].as_py() for n, p in zip(labels, places, strict=True)})
    return dict(sorted(found.items()))
