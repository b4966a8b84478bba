"""Columns: which of a table's hold numbers, how wide they are, and which fit side by side."""

import re
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

NUMERIC = re.compile(r"(?:! )?[-+−±\[]*[\d–]")
"""How a number or an interval begins, or the dash that stands for none; a mark may precede."""
FRAME = 3
"""Characters between two columns; one more stands before the first."""
WORD = 20
"""Longer words are broken where there is no room."""
NUMBER = 24
"""What begins like a number and is longer is text."""


class Column(NamedTuple):
    """How much room a column needs."""

    numeric: bool
    least: int
    """Where words are wrapped; numbers are not."""
    most: int
    """Where nothing is wrapped."""


def numeric(cells: Sequence[str]) -> bool:
    """Whether the cells are numbers, intervals or dashes alone, or empty."""
    return all(NUMERIC.match(cell) or not cell for cell in cells)


def column(head: str, cells: Sequence[str]) -> Column:
    """The room that a head and its cells need."""
    lines = [line for cell in cells for line in cell.split("\n")]
    whole = max(map(len, lines), default=0)
    numbers = numeric(cells) and whole <= NUMBER
    words = [*_pieces(head), *(word for line in lines if not numbers for word in line.split())]
    longest = max((min(len(word), WORD) for word in words), default=0)
    return Column(numbers, max(longest, whole * numbers, 1), max(len(head), whole, 1))


def parts(columns: Sequence[Column], width: int) -> list[list[int]]:
    """The places of columns that fit into `width` side by side: the first, in each part, and some.

    A part holds at least one column beside the first, whether it fits or not.
    """
    places: list[list[int]] = [[]]
    for place in range(1, len(columns)):
        tried = [0, *places[-1], place]
        if places[-1] and _framed([columns[i].least for i in tried]) > width:
            places.append([])
        places[-1].append(place)
    return [[0, *part] for part in places]


def widths(columns: Sequence[Column], width: int) -> list[int]:
    """How wide each column is: what it needs, and more for the narrowest that would have more."""
    chosen = [one.least for one in columns]
    while _framed(chosen) < width:
        short = [place for place, one in enumerate(columns) if chosen[place] < one.most]
        if not short:
            break
        chosen[min(short, key=chosen.__getitem__)] += 1
    return chosen


def wrapped(text: str, width: int, *, hyphens: bool = False) -> str:
    """The text with no line longer than `width`, broken between words where it can be.

    With `hyphens`, as for the heads of columns, also after those within words.
    """
    lines = (textwrap.wrap(line, width, break_on_hyphens=hyphens) for line in text.split("\n"))
    return "\n".join("\n".join(line) for line in lines)


def _pieces(head: str) -> list[str]:
    """The words of a head and the parts of those with hyphens."""
    return textwrap.wrap(head, 1, break_long_words=False)


def _framed(given: Sequence[int]) -> int:
    return sum(given) + FRAME * len(given) + 1
