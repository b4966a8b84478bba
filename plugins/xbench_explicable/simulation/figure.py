"""The picture of simulated losses: Figure 1 of the paper's appendix."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xbench import Drawing, Role, Rows
from xbench.figures import (
    HEADING,
    INK,
    SHADE,
    SMALL,
    WORDS,
    blank_figure,
    legend,
    look,
    share_text,
    style_axes,
)
from xbench_explicable.simulation.summary import Column, entry_notes, loss_columns

LOSS = look("entry", 0)._replace(marker="none")
COLUMN, ROW, FRAME = 2.15, 1.75, 1.35
"""Inches: of a graph, and of what stands above and below all of them."""


class Line(NamedTuple):
    """A loss, and what it says of every prediction."""

    label: str
    columns: Sequence[Column]


def figures(rows: Mapping[str, Rows], roles: Mapping[str, Role]) -> dict[str, Drawing]:
    """One row of graphs for each entry; floors and ceilings stand in all of them."""
    lines: dict[Role, list[Line]] = {"entry": [], "floor": [], "ceiling": []}
    for label, table in rows.items():
        lines[roles[label]].append(Line(label, loss_columns(table)))
    references = lines["floor"] + lines["ceiling"]
    figure = _graphs(lines["entry"], references)
    caption = (
        "Loss of predictions of three classes while probability moves from the close to the far "
        "class; from left to right the correct class grows more probable. The ring marks the "
        "smallest loss: left of it, more confidence in the far class is rewarded. In the shaded "
        "part the far class is more probable than the close one."
    )
    text = " ".join(_graphs_in_words(label, rows[label]) for label in rows)
    return {"loss-simulation": Drawing(figure, "Simulated losses", caption, text)}


def _graphs(lines: Sequence[Line], references: Sequence[Line]) -> Figure:
    wide = max(len(line.columns) for line in lines)
    size = 0.9 + COLUMN * wide, FRAME + ROW * len(lines)
    figure = blank_figure(*size, laid_out=True)
    axes = figure.subplots(len(lines), wide, sharey="row", sharex="col", squeeze=False)
    for row, line in zip(axes, lines, strict=True):
        for ax, column in zip(row, line.columns, strict=False):
            _graph(
                ax,
                column,
                [curve for reference in references for curve in _curves_at(reference, column)],
            )
        label = f"{fill(line.label, 20)}\n\nLoss"
        row[0].set_ylabel(label, color=INK, fontsize=WORDS, parse_math=False)
    for ax, column in zip(axes[0], lines[0].columns, strict=False):
        ax.set_title(f"P(correct) = {column.correct:g}", color=INK, fontsize=HEADING)
    for ax in axes[-1]:
        ax.set_xlabel("P(far)", color=INK, fontsize=WORDS)
    legend(figure, axes[0, 0], below=True)
    return figure


def _curves_at(line: Line, column: Column) -> list[tuple[str, Column]]:
    return [(line.label, curve) for curve in line.columns if curve.correct == column.correct]


def _graph(ax: Axes, column: Column, references: Sequence[tuple[str, Column]]) -> None:
    """One loss at one probability of the correct class."""
    rest = 1 - column.correct
    ax.axvspan(rest / 2, rest, color=SHADE, linewidth=0, label="far class ahead of the close one")
    for place, (label, curve) in enumerate(references):
        style = look("floor", place)._replace(marker="none")
        ax.plot(curve.far, curve.loss, label=label, **style.line())
    ax.plot(column.far, column.loss, label="loss of the row", **LOSS.line())
    if column.rises().any():
        lowest = int(column.loss.argmin())
        at = [column.far[lowest]], [column.loss[lowest]]
        ring = {**LOSS.line(), "marker": "o", "markeredgecolor": LOSS.colour, "linestyle": "none"}
        ax.plot(*at, markerfacecolor="white", label="smallest loss", **ring)
    style_axes(ax)
    ax.set_xlim(0, rest)
    ax.tick_params(labelsize=SMALL)


def _graphs_in_words(label: str, table: Rows) -> str:
    """What a row of graphs shows, in words."""
    graphs = loss_columns(table)
    steps = [step for graph in graphs for step in graph.rises().tolist()]
    words = f"{label}: the loss rises in {share_text(sum(steps) / len(steps), 0)} of the steps"
    shares = [v for v in entry_notes(table)["smallest_where_far_has"].values() if v is not None]
    if not shares:
        return f"{words} and does not depend on the far class."
    low, high = share_text(min(shares), 0), share_text(max(shares), 0)
    where = low if low == high else f"{low} to {high}"
    return f"{words}; it is smallest where the far class has {where} of the rest."
