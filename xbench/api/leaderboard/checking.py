"""Checking submissions against what is installed, and adding them to a board."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from xbench.api.leaderboard.built import entry_alone, notices
from xbench.api.leaderboard.declared import Installed, check_declared, installed_benchmark
from xbench.api.leaderboard.fresh import checked_on_fresh, drop_sentences
from xbench.api.leaderboard.images import absent_images, known_cases
from xbench.api.leaderboard.rerun import Rerun, rerun
from xbench.api.leaderboard.unchecked import Unchecked, unchecked_images, unchecked_weights
from xbench.api.progress import progress
from xbench.api.setting import local_workplace
from xbench.components.registry import Registry, installed
from xbench.errors import ParameterError, SubmissionError
from xbench.results.board.checks import check
from xbench.results.board.events import FreshCheck, Part
from xbench.results.board.folder import read_submission
from xbench.results.board.history import add, check_new, note_fresh, on_board
from xbench.results.board.submission import Submission
from xbench.running.storage.store import Store
from xbench.running.workplace import LocalWorkplace

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Checks:
    """What of submissions is looked at beside their files, and where."""

    rerun: int = 0
    """On how many cases of each network the entry is run again; 0 for not at all."""
    draw: int = 0
    """The seed by which these are drawn."""
    fresh: int | None = None
    """The seed of new images on which it is run; None for not at all."""
    benchmark_file: Path | None = None
    """Where the benchmark is not installed."""
    places: Mapping[str, Any] = field(default_factory=dict)
    """Where its data and its network's weights lie, nested as `-p` paths are."""
    store: str | None = None
    """Where what is run again lies; None for a place of its own that goes afterwards."""
    device: str = "auto"
    batch_size: int = 32

    def __post_init__(self) -> None:
        """Refuse counts and seeds that are none."""
        if self.rerun < 0 or self.draw < 0 or (self.fresh is not None and self.fresh < 1):
            message = "rerun and its seed must be at least 0, and the seed of new images at least 1"
            raise ParameterError(message)


@dataclass(frozen=True, eq=False)
class CheckedSubmission:
    """A submission that passed, and what was found where it was run again."""

    submission: Submission
    rerun: Rerun | None = None
    fresh: FreshCheck | None = None
    unchecked: tuple[Unchecked, ...] = ()
    """What was not there to be checked."""
    was_there: bool = False
    """Whether a board had it already, and had not checked all of it."""

    @property
    def lacks(self) -> list[Part]:
        """The parts that were not there to be checked."""
        return [of.what for of in self.unchecked]

    @property
    def lines(self) -> list[str]:
        """What was found, a sentence a line."""
        manifest, ranking = self.submission.manifest, self.submission.record.ranking
        of = f"benchmark {manifest.benchmark} {manifest.benchmark_version}"
        lines = [f"{manifest.name}: files, record and scores belong together and are of {of}"]
        lines += [f"{manifest.name}: {of.remark}" for of in self.unchecked]
        lines += [f"{manifest.name}: {self.rerun}"] if self.rerun else []
        if self.fresh and ranking:
            lines.append(drop_sentences(manifest.name, self.fresh, ranking))
        return lines


def check_submission(  # noqa: PLR0913 - what a person may choose, by name
    folder: PathLike,
    *,
    rerun: int = 0,
    draw: int = 0,
    fresh: int | None = None,
    benchmark_file: PathLike | None = None,
    places: Mapping[str, Any] | None = None,
    store: PathLike | None = None,
    device: str = "auto",
    batch_size: int = 32,
    quiet: bool = False,
) -> CheckedSubmission:
    """Check a folder: its files, its parts against each other, and against what is installed.

    `places` says where the benchmark's data lies, nested as `-p` paths are: `{"dataset": {"root":
    "FOLDER"}}`. Where it is not here the rest is checked, and `unchecked` says so.
    Only `rerun`, a number of cases of each network, and `fresh`, a seed of new images, run the
    entry: then the code of its components is trusted. `SubmissionError`, or another
    `UsageError`, where it is refused.
    """
    file = None if benchmark_file is None else Path(benchmark_file)
    where = None if store is None else os.fspath(store)
    checks = Checks(rerun, draw, fresh, file, places or {}, where, device, batch_size)
    return checked([Path(folder)], checks, quiet=quiet)[0]


def add_submission(
    folder: PathLike, board: PathLike, *, on: date | None = None, checks: Checks = Checks()
) -> CheckedSubmission:
    """Check a folder and add it to a board; where it is refused, nothing is written."""
    return added([Path(folder)], Path(board), checks, quiet=True, on=on)[0]


def added(
    folders: Sequence[Path],
    board: Path,
    checks: Checks,
    *,
    quiet: bool,
    registry: Registry | None = None,
    on: date | None = None,
) -> list[CheckedSubmission]:
    """Check folders and add them all, or none where one is refused."""
    day = on or datetime.now(UTC).date()
    every = checked(folders, checks, quiet=quiet, registry=registry, board=board)
    every = [replace(of, was_there=bool(on_board(board, of.submission))) for of in every]
    for of in every:
        check_new(board, of.submission, of.lacks)
    for of in every:
        add(board, of.submission, day, of.lacks)
        if of.fresh:
            manifest = of.submission.manifest
            note_fresh(board, manifest.benchmark, manifest.name, of.fresh, day)
    return every


def checked(
    folders: Sequence[Path],
    checks: Checks,
    *,
    quiet: bool,
    registry: Registry | None = None,
    board: Path | None = None,
) -> list[CheckedSubmission]:
    """Check folders in all that is asked for, and their places on a board if there is one."""
    known = registry or installed()
    submissions = [read_submission(folder) for folder in folders]
    _check_names(submissions)
    for submission in submissions if board else ():
        check_new(board or Path(), submission)
    with progress(quiet) as reporter, tempfile.TemporaryDirectory() as scratch:
        place = local_workplace(checks.device, checks.batch_size, reporter)
        store = Store(checks.store or f"{scratch}/store")
        told = [_declared(of, checks, known, place) for of in submissions]
        pairs = zip(submissions, told, strict=True)
        return [_run(*pair, checks, (store, place), known) for pair in pairs]


def _check_names(submissions: Sequence[Submission]) -> None:
    """Raise `SubmissionError` where two have one name."""
    names = [(of.manifest.benchmark, of.manifest.name) for of in submissions]
    for benchmark, name in names:
        if names.count((benchmark, name)) > 1:
            message = f"two submissions to {benchmark} are called {name!r}"
            raise SubmissionError(f"{message}; submit one of them again with another --name")


class _Declared(NamedTuple):
    """The benchmark of a submission that agrees with it, and what could not be told."""

    installed: Installed
    unchecked: tuple[Unchecked, ...]


def _declared(
    submission: Submission, checks: Checks, registry: Registry, workplace: LocalWorkplace
) -> _Declared:
    """The benchmark of a submission that agrees with it and in itself."""
    here = installed_benchmark(submission, checks.benchmark_file, registry, checks.places)
    absent = absent_images(here.benchmark)
    compared = check_declared(submission, here.benchmark, workplace, absent)
    check(submission, known_cases(submission, here.benchmark, absent))
    lacks = [unchecked_images(set(absent.values()), here.places)] if absent else []
    lacks += [] if compared else [unchecked_weights(here.benchmark)]
    return _Declared(here, tuple(lacks))


def _check_there(name: str, lacks: Sequence[Unchecked]) -> None:
    """Raise `SubmissionError` where something that a run needs is not there."""
    for of in lacks:
        message = f"{name!r} cannot be run again: {of.reason}"
        raise SubmissionError(f"{message}, or leave --rerun and --fresh out")


def _run(
    submission: Submission,
    declared: _Declared,
    checks: Checks,
    place: tuple[Store, LocalWorkplace],
    registry: Registry,
) -> CheckedSubmission:
    """Run the entry again where that is asked for, after saying that its code runs."""
    name, workplace = submission.manifest.name, place[1]
    if not checks.rerun and checks.fresh is None:
        return CheckedSubmission(submission, unchecked=declared.unchecked)
    _check_there(name, declared.unchecked)
    alone = entry_alone(submission, declared.installed.benchmark, registry, workplace)
    for line in (f"{name}: its components are built and run now", *notices(submission, registry)):
        workplace.progress.say(line)
    again = rerun(submission, alone, (checks.rerun, checks.draw), *place) if checks.rerun else None
    fresh = None
    if checks.fresh is not None:
        fresh = checked_on_fresh(submission, alone, checks.fresh, *place)
    return CheckedSubmission(submission, again, fresh)
