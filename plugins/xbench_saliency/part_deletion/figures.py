"""The picture of part deletion: which parts the network would miss, and which maps speak of."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from jaxtyping import Float64
from scipy.stats import rankdata

from xbench import Drawing, Role
from xbench.figures import (
    FAINT,
    INK,
    SMALL,
    WIDE,
    WORDS,
    blank_figure,
    number_words,
    role_label,
    shortened,
)
from xbench_saliency.part_deletion.rows import ImageRow, image_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NETWORK = "the network itself"
ROW, HEAD, LEFT, FOOT = 0.3, 0.25, 2.6, 0.75
"""Inches."""
LETTERS = 34
DARK = 0.62
"""From which shade on numbers are white."""


def figures(
    rows: Mapping[str, Sequence[pa.Table]], roles: Mapping[str, Role]
) -> Mapping[str, Drawing]:
    """The mean rank of each part in the network's drops and in each entry's maps."""
    images = {
        label: [i for table in tables for i in image_rows(table)] for label, tables in rows.items()
    }
    parts = _part_names(images)
    if not parts:
        return {}
    first = next(iter(images.values()))
    table = {NETWORK: mean_ranks(first, parts, of_map=False)}
    for label, own in images.items():
        table[role_label(label, roles[label])] = mean_ranks(own, parts, of_map=True)
    return {"part_ranks": _drawing(table, parts)}


def _part_names(images: Mapping[str, Sequence[ImageRow]]) -> tuple[str, ...]:
    """All parts that were changed, in the order in which images have them."""
    names = (name for own in images.values() for image in own for name in image.parts)
    return tuple(dict.fromkeys(names))


def mean_ranks(
    images: Sequence[ImageRow], parts: Sequence[str], *, of_map: bool
) -> Float64[np.ndarray, " parts"]:
    """How high each part ranks on average, from 0 (least of its image) to 1; NaN where it is not.

    By the map's mean over the part, or by its drop.
    """
    totals, counts = np.zeros(len(parts)), np.zeros(len(parts))
    for image in images:
        values = image.means() if of_map else image.column("drops")
        if len(values) > 1 and np.isfinite(values).all():
            places = list(map(parts.index, image.parts))
            totals[places] += (rankdata(values) - 1) / (len(values) - 1)
            counts[places] += 1
    return np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)


def _drawing(table: Mapping[str, Float64[np.ndarray, " parts"]], parts: Sequence[str]) -> Drawing:
    height = HEAD + ROW * len(table) + FOOT
    figure = blank_figure(WIDE, height)
    frame = LEFT / WIDE, FOOT / height, (WIDE - LEFT - 0.15) / WIDE, ROW * len(table) / height
    _fill(figure.add_axes(frame), table, parts)
    caption = (
        "How high each part ranks on average among the parts of an image, from 0 (least) to 1 "
        "(most): in the first line by what the network loses without it, below by the mean of "
        "each method's map over it. A method that has the line of the network may still rank "
        "parts wrongly image by image."
    )
    words = [f"{label}: {_words(values, parts)}" for label, values in table.items()]
    text = f"Parts in the order of their mean ranks. {'; '.join(words)}."
    return Drawing(figure, "Which parts matter, and which maps speak of", caption, text)


def _fill(
    ax: "Axes", table: Mapping[str, Float64[np.ndarray, " parts"]], parts: Sequence[str]
) -> None:
    values = np.stack(list(table.values()))
    ax.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if value > DARK else INK
        ax.text(
            column,
            row,
            number_words(value, 2),
            ha="center",
            va="center",
            fontsize=SMALL,
            color=colour,
        )
    ax.set_xticks(
        range(len(parts)), parts, rotation=35, ha="right", fontsize=WORDS, parse_math=False
    )
    labels = [shortened(label, LETTERS) for label in table]
    ax.set_yticks(range(len(labels)), labels, fontsize=WORDS, parse_math=False)
    ax.axhline(0.5, color="white", linewidth=3)
    ax.tick_params(length=0, colors=INK)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("part", color=FAINT, fontsize=WORDS)


def _words(values: Float64[np.ndarray, " parts"], parts: Sequence[str]) -> str:
    order = sorted(
        (p for p in range(len(parts)) if not np.isnan(values[p])), key=lambda p: -values[p]
    )
    return ", ".join(f"{parts[p]} {values[p]:.2f}" for p in order)
