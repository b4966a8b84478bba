"""Captions below photographs, placed in inches."""

import re
from collections.abc import Iterable, Iterator
from math import floor, log10
from typing import Any

from matplotlib.figure import Figure

from xbench.figures import shortened, write

LEAST, DIGITS = 3, 3
"""Decimals of numbers at least, and digits of the largest of some small ones."""
BREAKS, LAST_RESORT = re.compile(r"(?<=[ /-])|(?=\()"), re.compile(r"(?<==)")
"""Where a description of a component may be broken if it has to be, and a long part of it."""
SLACK = 3
"""Letters by which a part may be longer than its line before it is broken itself."""


def write_at(figure: Figure, at: tuple[float, float], text: str, **style: Any) -> None:
    """Write a text as it stands, its upper left corner at (x, y) in inches from the lower left."""
    x, y = at[0] / figure.get_figwidth(), at[1] / figure.get_figheight()
    write(figure, (x, y), text, **{"va": "top", **style})


def frame(
    figure: Figure, at: tuple[float, float], side: float
) -> tuple[float, float, float, float]:
    """The square of this side whose upper left corner is there, as shares of the figure."""
    width, height = figure.get_figwidth(), figure.get_figheight()
    return at[0] / width, (at[1] - side) / height, side / width, side / height


def short(name: str, most: int) -> str:
    """A name in at most so many letters, its underscores as blanks."""
    return shortened(name.replace("_", " "), most)


def decimals(values: Iterable[float]) -> int:
    """With how many decimals numbers of one picture are written, so that all have as many."""
    largest = max(map(abs, values), default=0.0)
    return max(LEAST, DIGITS - 1 - floor(log10(largest))) if largest else LEAST


def broken(text: str, width: int) -> str:
    """A component's description, such as `weighted(mean(ihl, ekl))`, in lines of this width.

    The first break is before its bracket; words are not broken, and may be longer.
    """
    if len(text) <= width:
        return text
    head, bracket, rest = text.partition("(")
    return "\n".join([*_packed(head, width), *_packed(bracket + rest, width)])


def _packed(text: str, width: int) -> list[str]:
    """The text in lines, each as full as can be."""
    lines: list[str] = []
    for chunk in _chunks(text, width):
        if lines and len((lines[-1] + chunk).rstrip()) <= width:
            lines[-1] += chunk
        else:
            lines.append(chunk)
    return [line.rstrip() for line in lines]


def _chunks(text: str, width: int) -> Iterator[str]:
    """What stays together."""
    for chunk in filter(None, BREAKS.split(text)):
        long = len(chunk.rstrip()) > width + SLACK
        yield from LAST_RESORT.split(chunk) if long else [chunk]
