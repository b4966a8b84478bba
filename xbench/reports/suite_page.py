"""The page of a suite: ranks side by side, and what came out of each benchmark."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from xbench.errors import RunError
from xbench.reports.page import numeric_columns, rendered
from xbench.reports.report import Run, replacing
from xbench.results.conclusions import conclusions
from xbench.results.prose.winners import suite_sentences
from xbench.results.tables import Table, overview


class LinkedPage(NamedTuple):
    """One benchmark of the suite, with the page of its run."""

    title: str
    subtitle: str
    """What was run, in one line."""
    conclusions: Sequence[str]
    href: str


class SuitePage(NamedTuple):
    """Everything that the page of a suite says."""

    title: str
    conclusions: Sequence[str]
    """Who wins in which benchmarks."""
    tables: Sequence[Table]
    """Ranks, where benchmarks rank, then headline scores."""
    pages: Sequence[LinkedPage]
    command: str


def write_suite_page(
    title: str, runs: Sequence[Run], ranks: Table | None, folder: Path, command: str
) -> Path:
    """Write the page of a suite whose runs have their pages in folders of `folder`; returns it.

    A page that lay there before is replaced.
    """
    page = _page(title, runs, ranks, command)
    html = rendered("suite.html", page=page, numeric=numeric_columns)
    try:
        with replacing(folder) as unfinished:
            (unfinished / "index.html").write_text(html, encoding="utf-8")
    except OSError as error:
        raise RunError(f"the page of the suite could not be written: {error}") from error
    return folder / "index.html"


def _page(title: str, runs: Sequence[Run], ranks: Table | None, command: str) -> SuitePage:
    scores = overview(title, [(run.benchmark, run.records) for run in runs])
    return SuitePage(
        title,
        list(suite_sentences([run.records for run in runs])),
        [scores] if ranks is None else [ranks, scores],
        [_linked(run) for run in runs],
        command,
    )


def _linked(run: Run) -> LinkedPage:
    name = run.benchmark.name
    came_out = conclusions(run.benchmark, run.records)
    return LinkedPage(
        came_out.title, came_out.measured[0], came_out.standings, f"{name}/index.html"
    )
