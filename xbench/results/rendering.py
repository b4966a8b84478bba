"""Tables as text for other programs: aligned, Markdown, LaTeX, or separated values."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence

from xbench.errors import UnknownNameError
from xbench.results.columns import numeric
from xbench.results.tables import Table

GAP = "  "
MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|$~#&])")
LATEX: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "[": "{[}",
    "]": "{]}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "–": "--",
    "−": "$-$",
    "±": r"$\pm$",
    "…": r"\ldots{}",
    "×": r"$\times$",
}
"""What LaTeX reads in another way, and characters that its fonts may lack."""
SIGN = re.compile(r"(?<![\w.])-(?=\d)")
"""A hyphen that is a minus."""


def rendered(table: Table, form: str) -> str:
    """The table as text, without a line end after it; each cell is on one line.

    `tsv` and `csv` have the heads and the rows alone; the others begin with the title.
    """
    if form not in WRITERS:
        raise UnknownNameError("format", form, WRITERS)
    return WRITERS[form](table)


def _grid(table: Table) -> list[list[str]]:
    """The heads, and the rows with their labels."""
    rows = ((row.name, *row.cells) for row in table.rows)
    return [[_one_line(cell) for cell in row] for row in (table.columns, *rows)]


def _one_line(cell: str) -> str:
    return " ".join(cell.split())


def _to_the_right(table: Table) -> list[bool]:
    """Which columns hold numbers; that of the labels is none of them."""
    columns = zip(*(row.cells for row in table.rows), strict=True)
    return [False, *(list(map(numeric, columns)) or [False] * (len(table.columns) - 1))]


def _aligned(table: Table) -> str:
    grid, right = _grid(table), _to_the_right(table)
    widths = [max(map(len, column)) for column in zip(*grid, strict=True)]
    lines = [
        GAP.join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in grid
    ]
    return "\n".join(filter(None, [table.title, *lines, table.legend]))


def _tabbed(table: Table) -> str:
    return "\n".join("\t".join(row) for row in _grid(table))


def _separated(table: Table) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(_grid(table))
    return file.getvalue().removesuffix("\n")


def _markdown(table: Table) -> str:
    heads, *rows = [[_in_markdown(cell) for cell in row] for row in _grid(table)]
    rule = ["--:" if to_right else "---" for to_right in _to_the_right(table)]
    lines = [f"| {' | '.join(row)} |" for row in (heads, rule, *rows)]
    legend = ["", _in_markdown(table.legend)] if table.legend else []
    return "\n".join([f"**{_in_markdown(table.title)}**", "", *lines, *legend])


def _in_markdown(text: str) -> str:
    return MARKDOWN.sub(r"\\\1", text)


def _latex(table: Table) -> str:
    heads, *rows = [[_in_latex(cell) for cell in row] for row in _grid(table)]
    columns = "".join("r" if to_right else "l" for to_right in _to_the_right(table))
    legend = [rf"\par\smallskip {_in_latex(table.legend)}"] if table.legend else []
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_in_latex(table.title)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            _latex_row(heads),
            r"\midrule",
            *map(_latex_row, rows),
            r"\bottomrule",
            r"\end{tabular}",
            *legend,
            r"\end{table}",
        ]
    )


def _latex_row(cells: Sequence[str]) -> str:
    return rf"{' & '.join(cells)} \\"


def _in_latex(text: str) -> str:
    return "".join(LATEX.get(character, character) for character in SIGN.sub("−", text))


WRITERS: Mapping[str, Callable[[Table], str]] = {
    "text": _aligned,
    "tsv": _tabbed,
    "csv": _separated,
    "md": _markdown,
    "latex": _latex,
}
"""What writes a table, by the name of the format."""
