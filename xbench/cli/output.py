"""Tables, progress and JSON: rich on a terminal, plain lines when piped."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from xbench.progress import Progress


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
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(
            column, justify="left" if index == 0 else "right", min_width=0 if index else 24
        )
    for row in rows:
        table.add_row(*(_escaped(cell) for cell in row))
    Console().print(table)


def print_lines(*lines: str) -> None:
    """Print plain lines."""
    for line in lines:
        click.echo(line)


@contextmanager
def progress(quiet: bool) -> Iterator["Progress"]:
    """A reporter of progress on standard error: bars on a terminal, else a line now and then."""
    from xbench.progress import Silent

    if quiet:
        yield Silent()
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield bars
    else:
        yield Lines()


class Lines:
    """Progress as plain lines, at most one every few seconds and one at each end."""

    def __init__(self, every: float = 5.0) -> None:
        self._every = every
        self._last = 0.0

    def update(self, task: str, done: int, total: int, note: str = "") -> None:
        """Print a line if it is time for one."""
        now = time.monotonic()
        if done < total and now - self._last < self._every:
            return
        self._last = now
        click.echo(f"{task}: {done}/{total} {note}".rstrip(), err=True)


class Bars:
    """Progress as rich bars, one a task."""

    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._tasks: dict[str, Any] = {}

    def update(self, task: str, done: int, total: int, note: str = "") -> None:
        """Move the task's bar."""
        if task not in self._tasks:
            self._tasks[task] = self._bars.add_task(_escaped(task), total=total, note="")
        self._bars.update(self._tasks[task], completed=done, total=total, note=_escaped(note))


@contextmanager
def _bars() -> Iterator[Bars]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield Bars(bars)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
