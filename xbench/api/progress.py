"""Progress: bars on a terminal, a line in a notebook, plain lines elsewhere."""

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from xbench.interfaces.workplace import Progress

EVERY = 0.3
"""Seconds between two changes of what a notebook shows."""


@contextmanager
def progress(quiet: bool) -> Iterator["Progress"]:
    """A reporter of progress for where the program runs.

    In a notebook it shows one line of each task in the output of the cell, which goes when all is
    done; on a terminal bars; else a line now and then, on standard error.
    """
    from xbench.interfaces.workplace import Silent

    if quiet:
        yield Silent()
    elif in_notebook():
        with _cell() as cell:
            yield cell
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield bars
    else:
        yield Lines()


def in_notebook() -> bool:
    """Whether what runs is the cell of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


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

    def say(self, line: str) -> None:
        """Print the line."""
        click.echo(line, err=True)


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

    def say(self, line: str) -> None:
        """Print the line above the bars."""
        self._bars.console.print(_escaped(line))


class Cell:
    """Progress in the output of a notebook's cell, changed in its place."""

    def __init__(self, show: Any) -> None:
        self._show = show
        self._tasks: dict[str, str] = {}
        self._said: list[str] = []
        self._last = 0.0

    def update(self, task: str, done: int, total: int, note: str = "") -> None:
        """Change the task's line if it is time for it."""
        words = f"{task}: {done}/{total} {note}".rstrip()
        bar = f'<progress value="{done}" max="{total}"></progress> {escape(words)}'
        self._tasks[task] = bar
        now = time.monotonic()
        if done >= total or now - self._last > EVERY:
            self._last = now
            self._show(self.html())

    def say(self, line: str) -> None:
        """Add a line that stays."""
        self._said.append(escape(line))
        self._show(self.html())

    def html(self) -> str:
        """What was said, then the tasks."""
        return "<br>".join([*self._said, *self._tasks.values()])

    def end(self) -> None:
        """Leave what was said alone."""
        self._tasks.clear()
        self._show(self.html())


@contextmanager
def _cell() -> Iterator[Cell]:
    shown, handles = import_module("IPython.display"), list[Any]()

    def show(html: str) -> None:
        if handles:
            handles[0].update(shown.HTML(html))
        elif html:
            handles.append(shown.display(shown.HTML(html), display_id=True))

    cell = Cell(show)
    with without_widgets():
        try:
            yield cell
        finally:
            cell.end()


@contextmanager
def without_widgets() -> Iterator[None]:
    """Libraries that are imported in this block want no widgets for bars that nobody sees."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        yield


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
    from rich.markup import escape as escape_markup

    return escape_markup(text)
