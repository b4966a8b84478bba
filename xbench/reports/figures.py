"""Curves and bars with intervals, drawn in one style, and figures saved as the same bytes."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float

from xbench.interfaces.protocol import Role
from xbench.interfaces.resampling import Resampling
from xbench.reports.style import INK, Look, looks, role_label
from xbench.results.numbers import level_text
from xbench.results.statistics import Band

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN = 0.1
"""Inches around a figure."""
BAR = 0.88
"""The share of its room that a bar fills."""
UNDATED: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
"""What keeps the time out of a file, by its kind."""


class Curve(NamedTuple):
    """Values with their intervals, at points of the axis across, in the units of the axes."""

    label: str
    role: Role
    across: Float[np.ndarray, " points"]
    band: Band


def percent(band: Band) -> Band:
    """A band of shares in per cent."""
    return Band(*(100 * part for part in band))


def joined(bands: Sequence[Band]) -> Band:
    """Bands one after the other, as one."""
    return Band(*(np.concatenate(parts) for parts in zip(*bands, strict=True)))


def draw_curves(
    ax: "Axes", curves: Sequence[Curve], *, marked: Sequence[int] | None = None
) -> list[Look]:
    """Draw curves over their bands, each in the look of its role and place.

    Markers stand at all points, at those `marked`, or nowhere if there are none. Returns the
    looks, for what else is to be drawn of the same lines.
    """
    curve_looks = looks(curve.role for curve in curves)
    for curve, look in zip(curves, curve_looks, strict=True):
        draw_curve(ax, curve, look, marked=marked)
    return curve_looks


def draw_curve(
    ax: "Axes",
    curve: Curve,
    look: Look,
    *,
    marked: Sequence[int] | None = None,
    shaded: bool = True,
) -> None:
    """Draw one curve over its band, or without it, in a look of its own."""
    plain = marked is not None and not len(marked)
    style = (look._replace(marker="none") if plain else look).line()
    if shaded:
        ax.fill_between(curve.across, curve.band.low, curve.band.high, **look.band())
    label = role_label(curve.label, curve.role)
    ax.plot(curve.across, curve.band.values, markevery=marked or None, label=label, **style)


def draw_bars(ax: "Axes", curves: Sequence[Curve]) -> list[np.ndarray]:
    """Draw curves as horizontal bars in groups, one group at each point, with their intervals.

    Groups are 1 apart, and one bar's room is left between them. Returns where the bars of
    each curve stand.
    """
    room, places = 1 / (len(curves) + 1), []
    curve_looks = looks(curve.role for curve in curves)
    for place, (curve, look) in enumerate(zip(curves, curve_looks, strict=True)):
        at = curve.across + (place - (len(curves) - 1) / 2) * room
        label = role_label(curve.label, curve.role)
        ax.barh(at, curve.band.values, BAR * room, label=label, **look.bar())
        _, low, high = curve.band
        ax.hlines(at, low, high, colors=INK, linewidths=1.1, zorder=4)
        ax.plot(np.concatenate([low, high]), [*at, *at], "|", color=INK, markersize=4, zorder=4)
        places.append(at)
    return places


def level_words(resampling: Resampling) -> str:
    """How wide intervals are, such as 95 %."""
    return level_text(resampling.level)


def number_words(value: float, digits: int = 1) -> str:
    """A number as a picture's text has it, or that there is none."""
    return "none" if np.isnan(value) else f"{value:.{digits}f}"


def save_figure(
    figure: "Figure", path: Path, *, title: str = "", dots: float | None = None
) -> None:
    """Write a figure as its file's ending says, cut to what is drawn; the same bytes each time.

    `dots` are pixels an inch, the figure's own without it. Files that can hold a title get it.
    """
    _save(figure, path, path.suffix, title, dots)


def figure_bytes(figure: "Figure", kind: str, *, dots: float | None = None) -> bytes:
    """What `save_figure` writes into a file of a kind, such as "png"."""
    content = io.BytesIO()
    _save(figure, content, f".{kind}", "", dots)
    return content.getvalue()


def _save(
    figure: "Figure", target: Path | io.BytesIO, suffix: str, title: str, dots: float | None
) -> None:
    import matplotlib as mpl

    metadata = UNDATED.get(suffix, {})
    if metadata and title:
        metadata = {**metadata, "Title": title}
    # What `bbox_inches="tight"` gives, without drawing everything once more to find it.
    box = None if figure.get_layout_engine() else figure.get_tightbbox().padded(MARGIN)
    kind = suffix.removeprefix(".")
    with mpl.rc_context({"svg.hashsalt": "xbench", "svg.fonttype": "path"}):
        figure.savefig(
            target, format=kind, dpi=dots or "figure", bbox_inches=box, metadata=metadata
        )
