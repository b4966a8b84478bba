"""`xbench leaderboard`: check submissions, add them to a board, rank and withdraw its entries."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xbench.cli.board.shown import BOARD, show
from xbench.cli.options import OUTPUT, WORK, Session, parameter_tree, session_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xbench.api.leaderboard.checking import CheckedSubmission, Checks
    from xbench.results.board.history import BoardEntry

CHECKS = (
    click.option(
        "--rerun",
        type=click.IntRange(1),
        default=None,
        metavar="N",
        help="Run the entry again on N drawn cases of each network; its plugin's code runs.",
    ),
    click.option(
        "--draw",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        metavar="SEED",
        help="What the cases of --rerun are drawn by.",
    ),
    click.option(
        "--fresh",
        type=click.IntRange(1),
        metavar="SEED",
        help="Run the entry on as many new images, where the dataset can draw any.",
    ),
    click.option(
        "--benchmark-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The benchmark's file, where it is not installed.",
    ),
    click.option(
        "-p",
        "parameters",
        multiple=True,
        metavar="PATH=VALUE",
        help="Where the benchmark's data lies, such as dataset.root=FOLDER; may be repeated.",
    ),
)
"""Options that say what of a submission is looked at."""
FOLDERS = click.argument("folders", metavar="FOLDER…", nargs=-1, required=True)


@click.group("leaderboard")
def command() -> None:
    """Check submissions, add them to a board, list, rank and withdraw its entries.

    A submission is read as hostile: nothing of it is run, and no plugin is imported for it,
    unless --rerun or --fresh ask for that.
    """


@command.command("check")
@FOLDERS
@session_options(CHECKS, WORK, OUTPUT)
def check(session: Session, folders: tuple[str, ...], **asked: Any) -> None:
    """Check submissions: their files, their parts against each other and the benchmark."""
    from xbench.api.leaderboard.checking import checked

    quiet, registry = session.quiet or session.json, session.registry
    paths, checks = list(map(Path, folders)), _checks(session, asked)
    _say(session, checked(paths, checks, quiet=quiet, registry=registry))


@command.command("add")
@FOLDERS
@session_options(BOARD, CHECKS, WORK, OUTPUT)
def add(session: Session, folders: tuple[str, ...], board: Path, **asked: Any) -> None:
    """Check submissions, and add them to a board: all of them, or none where one is refused."""
    from xbench.api.leaderboard.checking import added

    quiet, registry = session.quiet or session.json, session.registry
    paths, checks = list(map(Path, folders)), _checks(session, asked)
    _say(session, added(paths, board, checks, quiet=quiet, registry=registry), board)


def _checks(session: Session, asked: dict[str, Any]) -> "Checks":
    from xbench.api.leaderboard.checking import Checks

    asked["rerun"] = asked["rerun"] or 0
    asked["places"] = parameter_tree(session.parameters)
    work = session.store, session.device, session.batch_size
    return Checks(**asked, store=work[0], device=work[1], batch_size=work[2])


def _say(session: Session, every: "Sequence[CheckedSubmission]", board: Path | None = None) -> None:
    """What was found of each, and for those that were added where they are now."""
    from xbench.cli.output import print_json, print_lines

    if session.json:
        print_json(list(map(_facts, every)))
        return
    for of in every:
        print_lines(*of.lines)
        if board is not None:
            what = "has been on {}, and is checked now" if of.was_there else "added to {}"
            print_lines(f"{of.submission.manifest.name}: {what.format(board)}")


def _facts(of: "CheckedSubmission") -> dict[str, Any]:
    manifest, again = of.submission.manifest, of.rerun
    scores = [score._asdict() for score in again.scores] if again else []
    return {
        "name": manifest.name,
        "benchmark": manifest.benchmark,
        "benchmark_version": manifest.benchmark_version,
        "key": manifest.record_key,
        "rerun": {**again._asdict(), "scores": scores} if again else None,
        "fresh": of.fresh.model_dump() if of.fresh else None,
        "unchecked": of.lacks,
    }


@command.command("list")
@click.option("--benchmark", "of", metavar="NAME", help="Only entries of this benchmark.")
@session_options(BOARD, OUTPUT)
def list_entries(session: Session, board: Path, of: str | None) -> None:
    """List the entries of a board that are ranked, by benchmark and name."""
    from xbench.cli.output import print_json, print_lines, print_table
    from xbench.results.board.history import benchmarks, entries

    names = [name for name in benchmarks(board) if of in (None, name)]
    found = [entry for name in names for entry in entries(board, name)]
    if session.json:
        print_json([{**vars(e), "fresh": [one.model_dump() for one in e.fresh]} for e in found])
    elif not found:
        asked = f" of benchmark {of}" if of else ""
        print_lines(f"no entries{asked} on the board {board}; `xbench leaderboard add` adds some")
    else:
        columns = ["benchmark", "name", "key", "added", "superseded", "remarks"]
        print_table(f"Entries of the board {board}", columns, list(map(_row, found)))


def _row(of: "BoardEntry") -> list[str]:
    superseded = str(len(of.superseded)) if of.superseded else ""
    return [of.benchmark, of.name, of.key[:8], of.added, superseded, ", ".join(of.marks)]


@command.command("withdraw")
@click.argument("name")
@click.option("--benchmark", "of", required=True, metavar="NAME", help="What it is an entry of.")
@click.option("--reason", required=True, metavar="TEXT", help="Why, in a line.")
@session_options(BOARD, OUTPUT)
def withdraw_entry(session: Session, board: Path, name: str, of: str, reason: str) -> None:
    """Rank the entry NAME no more; its files and its history stay."""
    from xbench.cli.output import print_json, print_lines
    from xbench.results.board.history import history, withdraw

    withdraw(board, of, name, reason, datetime.now(UTC).date())
    event = history(board, of, name)[-1]
    if session.json:
        print_json(event.model_dump(exclude_none=True))
    else:
        print_lines(f"{name}: withdrawn from {board}, benchmark {of}: {reason}")


command.add_command(show)
