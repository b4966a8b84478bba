"""The one style of all figures: colours, sizes, and how lines of a benchmark look by role."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from xbench.interfaces.protocol import Role

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text
    from torch import Tensor

INK = "#222222"
"""Words and axes."""
FAINT = "#6b6b6b"
"""Words that matter less."""
PALE = "#b9b9b9"
"""What stands behind."""
MIST = "#e4e4e4"
"""Grids, and places without a value."""
RED = "#d7301f"
"""What speaks for a class, is wrong or warns."""
GREEN = "#1b7f4b"
"""What is right."""
BLUE = "#2b5fb3"
"""What speaks against a class."""
SHADE = "#f3ead7"
"""Behind a part of a frame."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#B8860B", "#56B4E9", "#8c510a")
"""Entries, in their order; people who see few colours tell them apart (after Okabe and Ito)."""
GREYS = ("#4d4d4d", "#6e6e6e", "#8f8f8f")
"""Floors; each stands out from white."""

TITLE = 14.0
"""Font size in points: of the title of a picture."""
HEADING = 10.0
"""Font size of a part of a picture."""
WORDS = 9.0
"""Font size of its words."""
SMALL = 8.0
"""Font size of numbers in it."""
TINY = 7.0
"""Font size of footnotes."""
WIDTH = 7.4
"""Inches: of a picture with a legend beside it."""
WIDE = 9.4
"""Inches: of a picture with several panels."""
HEIGHT = 4.4
"""Inches: of curves."""
LEGEND_LINE = 0.21
"""Inches that a line of a legend takes."""
LETTER, HANDLE = 0.6, 10
"""Width of a letter as a share of its font size, and letters that a sample in a legend takes."""
BESIDE, BELOW, MOST_COLUMNS = 28, 36, 5
"""Letters in a line of a legend, and its columns."""

MARKERS, FLOOR_MARKERS = ("o", "s", "^", "D", "v", "P", "X"), ("x", "+", "1", "2", "|")
DASHES: tuple[Any, ...] = ("solid", (0, (7, 1.2)), (0, (5, 1, 1.2, 1)), (0, (3, 1)))
FLOOR_DASHES = ((6, 2), (2, 1.5), (6, 1.5, 1, 1.5), (3, 1.5, 1, 1.5, 1, 1.5), (10, 3))
HATCHES, CEILING_HATCH = ("", "////", "....", "xxxx"), ".."
FLOOR_HATCHES = ("\\\\", "--", "||", "++", "o")
ORDER: tuple[Role, ...] = ("entry", "ceiling", "floor")
"""In which order roles stand in a legend."""


class Look(NamedTuple):
    """How a line of a benchmark looks: told apart by marker and dashes, not by colour alone."""

    colour: str
    marker: str
    edge: str
    """The marker's."""
    size: float
    dashes: Any
    """A line style of matplotlib."""
    width: float
    shade: float
    """How much its band covers."""
    layer: int
    """What is in a higher layer is drawn over it."""
    hatch: str

    def line(self) -> dict[str, Any]:
        """Arguments of `Axes.plot`."""
        marks = {"marker": self.marker, "markersize": self.size, "markeredgecolor": self.edge}
        dashes = {"linestyle": self.dashes, "linewidth": self.width}
        return {"color": self.colour, "zorder": self.layer, **dashes, **marks}

    def band(self) -> dict[str, Any]:
        """Arguments of `Axes.fill_between`."""
        below = self.layer - 2
        return {"color": self.colour, "alpha": self.shade, "linewidth": 0, "zorder": below}

    def bar(self) -> dict[str, Any]:
        """Arguments of `Axes.barh`."""
        return {"color": self.colour, "hatch": self.hatch, "edgecolor": "white", "linewidth": 0}


def look(role: Role, place: int) -> Look:
    """The look of the `place`-th line in a role, from 0."""
    if role == "ceiling":
        return Look(INK, "*", INK, 9, (0, (1, 1.6 + place)), 1.6, 0.10, 5, CEILING_HATCH)
    if role == "floor":
        grey, dashes = _at(GREYS, place), (0, _at(FLOOR_DASHES, place))
        marker, hatch = _at(FLOOR_MARKERS, place), _at(FLOOR_HATCHES, place)
        return Look(grey, marker, grey, 5.5, dashes, 1.2, 0.10, 3, hatch)
    hatch = _at(HATCHES, place)
    colour, dashes = _at(COLOURS, place), _at(DASHES, place)
    marker = _at(MARKERS, place + place // len(COLOURS))  # another one where colours come again
    return Look(colour, marker, "white", 6.5, dashes, 2.2, 0.20, 4, hatch)


def _at(choices: Sequence[Any], place: int) -> Any:
    return choices[place % len(choices)]


def looks(roles: Iterable[Role]) -> list[Look]:
    """The looks of lines in these roles: each by its place among those of its role."""
    counts: dict[Role, int] = dict.fromkeys(ORDER, 0)
    line_looks = []
    for role in roles:
        line_looks.append(look(role, counts[role]))
        counts[role] += 1
    return line_looks


def role_label(label: str, role: Role) -> str:
    """A label that says so if it is no entry's."""
    return label if role == "entry" else f"{label} ({role})"


def blank_figure(width: float, height: float, *, laid_out: bool = False) -> "Figure":
    """A white figure of this size in inches; `laid_out`: matplotlib finds room for everything."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    if laid_out:
        figure.set_layout_engine("constrained")
    return figure


def chart(
    across: str, upwards: str, *, lines: int = 1, height: float = HEIGHT
) -> "tuple[Figure, Axes]":
    """A figure with one pair of axes, high enough for so many lines in the legend beside it."""
    room = 0.8 + 2 * LEGEND_LINE * lines
    figure = blank_figure(WIDTH, max(height, room), laid_out=True)
    ax = figure.add_subplot()
    style_axes(ax, across, upwards)
    return figure, ax


def style_axes(ax: "Axes", across: str = "", upwards: str = "", *, grid: Any = "both") -> None:
    """Label axes, draw their grid ("x", "y" or "both") below all else, and leave the frame open."""
    ax.set_xlabel(across, color=INK)
    ax.set_ylabel(upwards, color=INK)
    ax.grid(color=MIST, linewidth=0.7, axis=grid)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(colors=INK, length=3)


def legend(figure: "Figure", *axes: "Axes", last: str = "", below: bool = False) -> None:
    """Name what is drawn, once: right of the axes, or below them in as many columns as fit.

    `last` is a label that stands at the end wherever it was drawn.
    """
    from textwrap import fill

    handles = dict(pair for ax in axes for pair in _handles(ax))
    if last in handles:
        handles[last] = handles.pop(last)
    labels = [fill(label, BELOW if below else BESIDE, break_long_words=False) for label in handles]
    box = figure.legend(
        list(handles.values()),
        labels,
        loc="outside lower center" if below else "outside right upper",
        ncols=_columns(figure, labels) if below else 1,
        frameon=False,
        fontsize=WORDS,
        labelcolor=INK,
        handlelength=3.2,
    )
    for text in box.get_texts():
        text.set_parse_math(False)


def _handles(ax: "Axes") -> "list[tuple[str, Any]]":
    handles, labels = ax.get_legend_handles_labels()
    return list(zip(labels, handles, strict=True))


def _columns(figure: "Figure", labels: Sequence[str]) -> int:
    """How many columns of these labels fit side by side: no more than their rows need."""
    room = figure.get_figwidth() * 72 / (LETTER * WORDS)
    for columns in range(min(len(labels), MOST_COLUMNS), 1, -1):
        rows = -(-len(labels) // columns)
        stacks = [labels[first : first + rows] for first in range(0, len(labels), rows)]
        if sum(map(_letters, stacks)) <= room:
            return len(stacks)
    return 1


def _letters(stack: Sequence[str]) -> int:
    """What a column takes, in letters."""
    return HANDLE + max(len(line) for label in stack for line in label.split("\n"))


def write(on: "Figure | Axes", at: tuple[float, float], text: str, **style: Any) -> "Text":
    """Write a text as it stands: a name with two dollar signs is no formula."""
    return on.text(*at, text, **{"color": INK, "parse_math": False, **style})


def shortened(text: str, most: int) -> str:
    """A text in at most so many letters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def show_pixels(ax: "Axes", image: "Tensor", *, smooth: bool = True) -> None:
    """An image (height, width, 3) from 0 to 1 without ticks and frame; a pixel is one unit.

    Where it is enlarged, pixels are blended, or without `smooth` stay squares.
    """
    height, width = image.shape[:2]
    pixels = image.detach().cpu().clamp(0, 1).numpy()
    interpolation = "lanczos" if smooth else "antialiased"
    ax.imshow(pixels, extent=(0, width, height, 0), interpolation=interpolation)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
