"""Tables, progress and JSON: rich on a terminal, plain lines when piped."""

import json
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from xbench.api.progress import progress

__all__ = ["print_json", "print_lines", "print_table", "progress"]

if TYPE_CHECKING:
    from rich.table import Table


TOGETHER = re.compile(r" (?=%)|\[[-+\d., ]*\]")
"""Spaces that end no line: before a per cent sign, and within an interval."""
HARD_SPACE = "\u00a0"


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, default=str))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: framed on a terminal, tab-separated lines when piped."""
    if not sys.stdout.isatty():
        click.echo(f"# {title}")
        for row in [columns, *rows]:
            click.echo("\t".join(cell.replace("\n", " ") for cell in row))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console.print(Text(title, "bold"))
    for part in _side_by_side([columns, *rows], console.width):
        console.print(part)


def _side_by_side(rows: Sequence[Sequence[str]], width: int) -> "Iterator[Table]":
    """Tables below each other with some of the columns each, where not all fit into `width`.

    The first of the rows holds the heads of the columns.
    """
    from rich.table import Table

    from xbench.results.columns import column, parts, widths, wrapped

    all_cells = list(zip(*rows, strict=True))
    needed = [column(head, cells) for head, *cells in all_cells]
    for part in parts(needed, width):
        table, here = Table(header_style="bold"), [needed[place] for place in part]
        given = widths(here, width)
        for of, (place, own) in enumerate(zip(part, given, strict=True)):
            justify: Literal["right", "left"] = "right" if here[of].numeric and of else "left"
            head = _escaped(wrapped(all_cells[place][0], own, hyphens=True))
            table.add_column(head, justify=justify, width=own, no_wrap=True)
        for row in rows[1:]:
            cells = (wrapped(row[place], own) for place, own in zip(part, given, strict=True))
            table.add_row(*map(_escaped, cells))
        yield table


def print_heading(title: str) -> None:
    """Print a line that heads what follows: bold on a terminal."""
    click.secho(_within_terminal(title) if sys.stdout.isatty() else title, bold=True)


def print_lines(*lines: str) -> None:
    """Print plain lines; on a terminal they are wrapped between words."""
    for line in lines:
        click.echo(_within_terminal(line) if sys.stdout.isatty() else line)


def _within_terminal(line: str) -> str:
    """The line, wrapped if it is a sentence; one with a long path stays whole, to be copied."""
    width = shutil.get_terminal_size().columns
    if max(map(len, line.split()), default=0) > width - 2:
        return line
    bound = TOGETHER.sub(lambda of: of[0].replace(" ", HARD_SPACE), line)
    lines = textwrap.wrap(bound, width, subsequent_indent="  ", break_on_hyphens=False)
    return "\n".join(lines).replace(HARD_SPACE, " ")


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
