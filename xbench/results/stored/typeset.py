"""Tables for people, in Markdown and LaTeX."""

from collections.abc import Sequence
from typing import NamedTuple


class HumanTable(NamedTuple):
    """A table for people: heads of columns, then rows of text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: int
    """How many of the last columns hold numbers."""


def markdown(table: HumanTable) -> str:
    """The table in Markdown, padded so that its source can be read too."""
    rows = [[_markdown_cell(cell) for cell in row] for row in (table.columns, *table.rows)]
    sizes = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    words = len(sizes) - table.numbers
    rule = [f"{'-' * (s - 1)}:" if place >= words else "-" * s for place, s in enumerate(sizes)]
    lines = [rows[0], rule, *rows[1:]]
    return "\n".join(_markdown_line(line, sizes, words) for line in lines) + "\n"


def latex(table: HumanTable) -> str:
    """The table as a LaTeX `tabular` with the rules of the package booktabs."""
    form = "l" * (len(table.columns) - table.numbers) + "r" * table.numbers
    head, *rows = (
        " & ".join(map(_latex_cell, row)) + r" \\" for row in (table.columns, *table.rows)
    )
    top = [r"% \usepackage{booktabs}", rf"\begin{{tabular}}{{{form}}}", r"\toprule"]
    return "\n".join([*top, head, r"\midrule", *rows, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _markdown_cell(cell: str) -> str:
    """The cell with signs of Markdown escaped."""
    escaped = "".join(f"\\{c}" if c in "\\|*_`<>[" else c for c in cell)
    return " ".join(escaped.split())


def _markdown_line(cells: Sequence[str], sizes: Sequence[int], words: int) -> str:
    padded = (
        cell.rjust(size) if place >= words else cell.ljust(size)
        for place, (cell, size) in enumerate(zip(cells, sizes, strict=True))
    )
    return f"| {' | '.join(padded)} |"


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
    "–": "--",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def _latex_cell(cell: str) -> str:
    """The cell with signs of LaTeX escaped."""
    text = "".join(_LATEX.get(c, c) for c in " ".join(cell.split()))
    return f"{{{text}}}" if text.startswith("[") else text  # `\\ [` would be a length
