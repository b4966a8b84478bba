"""Heat maps of matrices over classes: similarities and confusions."""

from typing import Any

import numpy as np
from jaxtyping import Float, Float64
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from torch import Tensor

from xbench import MismatchError
from xbench.figures import (
    FAINT,
    HEADING,
    INK,
    MIST,
    PALE,
    SMALL,
    TINY,
    WORDS,
    blank_figure,
    shortened,
    write,
)

CELL, LEAST, MOST = 0.3, 3.2, 13.0
"""Inches: the side of a cell, and of the whole map at least and at most."""
HEAD, BAR = 0.7, 0.9
"""Inches above the map, and right of it for the key."""
LETTER = 0.009
"""Inches that a letter takes at a font size of one point."""
NAMED = 150
"""From how many classes on names are left out; they could not be read."""
NUMBERED = 20
"""Up to how many classes numbers stand in the cells."""
SMALLEST, LARGEST = 4.5, 9.0
"""Font sizes in points."""
CUT = 26
"""Longer names end in an ellipsis."""
SHADES = "Blues"


def heat_map(
    matrix: Float[Tensor, "classes classes"],
    names: tuple[str, ...],
    title: str,
    *,
    log: bool = False,
) -> Figure:
    """A picture of a matrix of true by predicted classes, dark where it is large.

    Names of up to 150 classes are written; with `log`, shades follow the logarithm, and
    zeros are grey. `MismatchError` where there is not one name for each row and column.
    """
    if matrix.shape != (len(names), len(names)):
        rows, columns = matrix.shape
        raise MismatchError(f"{title}: {rows} × {columns} numbers, but {len(names)} class names")
    values = matrix.detach().cpu().double().numpy()
    labels = [shortened(name, CUT) for name in names] if len(names) <= NAMED else []
    side = min(max(CELL * len(names), LEAST), MOST)
    size = _font_size(side, len(names))
    margin = 0.55 + LETTER * size * max(map(len, labels), default=0)
    width, height = margin + side + BAR, HEAD + side + margin
    figure = blank_figure(width, height)
    at = (margin / width, margin / height, side / width, side / height)
    axes = figure.add_axes(at)
    _fill(figure, axes, values, log, width)
    _name(axes, labels, size, len(names))
    if len(names) <= NUMBERED:
        _number(axes, values, size)
    write(figure, (0.5, 1 - 0.32 / height), title, ha="center", va="center", fontsize=HEADING)
    return figure


def _font_size(side: float, classes: int) -> float:
    """As large as cells allow, within what can be read."""
    return float(np.clip(side / max(classes, 1) * 72 * 0.62, SMALLEST, LARGEST))


def _fill(
    figure: Figure,
    axes: Axes,
    values: Float64[np.ndarray, "classes classes"],
    log: bool,
    width: float,
) -> None:
    """The shades and their key."""
    colours = colormaps[SHADES].with_extremes(bad=MIST)
    hidden = ~np.isfinite(values) | ((values <= 0) & log)
    image = axes.imshow(
        np.ma.masked_array(values, hidden),
        cmap=colours,
        norm=_scale(values[~hidden], log),
        interpolation="none" if values.size <= NAMED**2 else "antialiased",
    )
    place = axes.get_position()
    bar = figure.add_axes((place.x1 + 0.15 / width, place.y0, 0.14 / width, place.height))
    figure.colorbar(image, cax=bar).ax.tick_params(labelsize=TINY, colors=FAINT)
    bar.yaxis.set_tick_params(length=2)


def _scale(values: Float64[np.ndarray, " cells"], log: bool) -> Normalize:
    """From 0, or from the smallest positive number, to the largest."""
    top = float(values.max(initial=0)) or 1.0
    if not log:
        return Normalize(min(0.0, float(values.min(initial=0))), top)
    least = float(values.min(initial=top))
    return LogNorm(least if least < top else top / 10, top)


def _name(axes: Axes, labels: list[str], size: float, classes: int) -> None:
    axes.set_xlabel("predicted class", fontsize=WORDS, color=FAINT)
    axes.set_ylabel("true class", fontsize=WORDS, color=FAINT)
    axes.spines[:].set_color(PALE)
    if not labels:
        axes.tick_params(labelsize=SMALL, colors=FAINT, length=2)
        return
    style: dict[str, Any] = {"fontsize": size, "color": INK, "parse_math": False}
    axes.set_xticks(range(classes), labels, rotation=90, **style)
    axes.set_yticks(range(classes), labels, **style)
    axes.tick_params(length=0)


def _number(axes: Axes, values: Float64[np.ndarray, "classes classes"], size: float) -> None:
    """The number of each cell, light on dark shades."""
    small = size * 0.74
    shades = np.nan_to_num(np.ma.filled(axes.images[0].norm(values), 0.0))
    for (row, column), value in np.ndenumerate(values):
        ink = "white" if shades[row, column] > 0.55 else INK
        style = {"ha": "center", "va": "center", "fontsize": small, "color": ink}
        write(axes, (column, row), _digits(value), **style)


def _digits(value: float) -> str:
    """At most four characters where possible; nothing for what is no number."""
    if not np.isfinite(value):
        return ""
    if value == int(value):
        return str(int(value))
    return f"{value:.2f}".removeprefix("0") if abs(value) < 10 else f"{value:.0f}"
