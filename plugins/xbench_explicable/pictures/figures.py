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
    picture = Picture(entries, tuple(losses), scores, level_words(resampling))
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
    of_repeat = [
        scores_by_label({label: of[n] for label, of in rows.items()}, losses) for n in repeats
    ]
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
    figure = blank_figure(WIDE, max(height, 2.6), laid_out=True)
    axes = figure.subplots(1, len(PANELS), sharey=True)
    for ax, (measure, across) in zip(axes, PANELS, strict=True):
        style_axes(ax, across, grid="x")
        _panel(ax, picture, measure)
    named = [_set_label(picture, name) for name in picture.sets]
    axes[0].set_yticks(range(len(named)), named, color=INK, fontsize=WORDS, parse_math=False)
    axes[0].set_ylim(len(named) - 0.5, -0.5)
    legend(figure, axes[0], below=True)
    caption = (
        "Images that all get wrong: how often each one's class alone is the nearest to the true "
        "one (hard), points when ties are shared (soft), and how near its classes are, the "
        f"nearest wrong class being 100 %. Intervals of {picture.level} over images; black marks "
        "are what wrong classes at random would give."
    )
    words = "; ".join(_points_in_words(picture, label) for label in picture.labels)
    return Drawing(figure, "Whose mistakes are nearest", caption, f"{words}.")


def _panel(ax: Axes, picture: Picture, measure: str) -> None:
    """Bars of one measure, and what chance would give across each."""
    scores = [
        [picture.scores[label][f"{measure}@{name}"] for name in picture.sets]
        for label in picture.labels
    ]
    across = np.arange(len(picture.sets))
    pairs = zip(picture.labels, scores, strict=True)
    places = draw_bars(ax, [Curve(label, "entry", across, _percent(of)) for label, of in pairs])
    half = 0.45 / (len(picture.labels) + 1)
    for at, of in zip(places, scores, strict=True):
        for y, score in zip(at, of, strict=True):
            if score.chance is not None:
                chance = 100 * score.chance
                ax.vlines(chance, y - half, y + half, color=INK, linewidth=2.2, zorder=5)
    ax.set_xlim(0, max(1.0, ax.get_xlim()[1]))


def _percent(scores: Sequence[Score]) -> Band:
    return percent(Band(*np.array([[s.value, s.low, s.high] for s in scores]).T))


def _set_label(picture: Picture, name: str) -> str:
    """The set, and how many images all get wrong."""
    common = picture.scores[picture.labels[0]][f"similarity of common mistakes@{name}"]
    return f"{fill(name, 18)}\n{common.n} images"


def _points_in_words(picture: Picture, label: str) -> str:
    of = picture.scores[label]
    told = ", ".join(
        f"{measure} {_share(of[f'{measure}@{name}'].value)} on {name}"
        for name in picture.sets
        for measure, _ in PANELS
    )
    return f"{label}: {told}"


def _share(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


def of_pairs(picture: Picture) -> Drawing:
    """A bar of shares for each two entries and each set."""
    counted = list(_pairs(picture))
    shown = counted[:MOST_PAIRS]
    height = FRAME + 1.6 * ROW * len(shown)
    figure = blank_figure(WIDE, max(height, 2.4), laid_out=True)
    ax = figure.add_subplot()
    style_axes(ax, "Images that both get wrong (%)", grid="x")
    for place, (_, of) in enumerate(shown):
        _shares(ax, place, of)
    named = [f"{title}\n{of.images} images" for title, of in shown]
    ax.set_yticks(range(len(shown)), named, color=INK, fontsize=SMALL, parse_math=False)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(0, 100)
    legend(figure, ax, below=True)
    rest = len(counted) - len(shown)
    left_out = f" {rest} more pairs are in the record's notes." if rest else ""
    caption = (
        "Of the images that both of two classifiers get wrong, the shares in which they take "
        f"them for the same class, or one of them for a class that is nearer.{left_out}"
    )
    words = "; ".join(_pair_in_words(title, of) for title, of in shown)
    return Drawing(figure, "Mistakes of two", caption, f"{words}.")


def _shares(ax: Axes, place: int, of: Pair) -> None:
    """The shares of two entries' mistakes, one after the other."""
    left = 0.0
    bar: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.6}
    middle: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": SMALL}
    for name, colour, told in SHARES:
        share = 100 * getattr(of, name) / of.images if of.images else 0.0
        ax.barh(place, share, 0.72, left=left, color=colour, label=told, **bar)
        if share >= 6:
            ink = INK if name in ("same", "level") else "white"
            write(ax, (left + share / 2, place), f"{share:.0f}", **{**middle, "color": ink})
        left += share


def _pairs(picture: Picture) -> Iterator[tuple[str, Pair]]:
    """Each two entries once, set by set, over all repeats."""
    tables = {label: pa.concat_tables(of) for label, of in picture.rows.items()}
    found = answers_by_set(tables)
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
    figure = blank_figure(WIDE, height, laid_out=True)
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
        ax.set_title(name, color=INK, fontsize=HEADING, loc="left", parse_math=False)
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
        style = {"ha": "center", "va": "center", "fontsize": WORDS, "fontweight": best}
        write(ax, (column, row), f"{value:.2f}", **style)
    named = [broken(loss, max(12, 84 // len(picture.losses))) for loss in picture.losses]
    ax.set_xticks(range(len(picture.losses)), named, fontsize=SMALL, parse_math=False)
    labels = [fill(label, 30, break_long_words=False) for label in picture.labels]
    ax.set_yticks(range(len(labels)), labels, fontsize=WORDS, parse_math=False)
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
