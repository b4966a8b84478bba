"""Captions below photographs, placed in inches."""

from typing import Any

from matplotlib.figure import Figure

INK, FAINT = "#222222", "#777777"


def write(figure: Figure, at: tuple[float, float], text: str, **style: Any) -> None:
    """Write a text as it stands, its upper left corner at (x, y) in inches from the lower left."""
    x, y = at[0] / figure.get_figwidth(), at[1] / figure.get_figheight()
    # a name with two dollar signs is no formula
    figure.text(x, y, text, **{"color": INK, "va": "top", "parse_math": False, **style})


def frame(
    figure: Figure, at: tuple[float, float], side: float
) -> tuple[float, float, float, float]:
    """The square of this side whose upper left corner is there, as shares of the figure."""
    width, height = figure.get_figwidth(), figure.get_figheight()
    return at[0] / width, (at[1] - side) / height, side / width, side / height


def short(name: str, most: int) -> str:
    """A name in at most so many letters."""
    words = name.replace("_", " ")
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"
