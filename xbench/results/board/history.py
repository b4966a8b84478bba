"""The folder of a board: what was added stays for ever, and what happened to it is written down.

`records/<benchmark>/<name>/<first digits of the key>/` is a submission as it came;
`events.jsonl` beside such folders says when it was added, superseded, withdrawn or checked.
"""

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from xbench.errors import SubmissionError, UnknownNameError
from xbench.results.board.events import (
    EVENTS,
    RESTORE,
    Event,
    FreshCheck,
    Part,
    read_events,
    standing,
    unchecked,
    write_events,
)
from xbench.results.board.plain_text import text_fault
from xbench.results.board.submission import LONGEST, Submission

DIGITS = 12
"""So many of a key's digits name its folder."""
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


@dataclass(frozen=True)
class BoardEntry:
    """An entry that is ranked: neither superseded nor withdrawn."""

    benchmark: str
    name: str
    key: str
    folder: Path
    """Its submission."""
    added: str
    """The date on which it was."""
    superseded: tuple[str, ...] = ()
    """The keys of the submissions of its name before it."""
    fresh: tuple[FreshCheck, ...] = ()
    """Checks on images that nobody had when it was made."""
    unchecked: tuple[Part, ...] = ()
    """What of it was not there to be checked."""

    @property
    def marks(self) -> tuple[str, ...]:
        """What is said beside it on the board."""
        fresh = ("fresh-checked",) * bool(self.fresh)
        return (*(f"{part} unchecked" for part in self.unchecked), *fresh)


def add(board: Path, submission: Submission, on: date, lacks: Sequence[Part] = ()) -> Path:
    """Keep a submission for ever, and give its folder; whoever calls has checked it before.

    `lacks` is what could not be checked. One that is there already, and lacks less now, is noted
    as checked. `SubmissionError` where its name is taken and it does not supersede what is there,
    or where its key is there already, under whatever name.
    """
    check_new(board, submission, lacks)
    manifest = submission.manifest
    place = _place(board, manifest.benchmark, manifest.name)
    folder, events = place / manifest.record_key[:DIGITS], _events(place)
    _put(folder, submission)
    day, key = on.isoformat(), manifest.record_key
    current = standing(events, place / EVENTS).current
    if current and current != key:
        events.append(Event(event="superseded", key=current, date=day, by=key))
    what: Literal["checked", "added"] = "checked" if current == key else "added"
    events.append(Event(event=what, key=key, date=day, unchecked=list(lacks) or None))
    write_events(place / EVENTS, events)
    return folder


def check_new(board: Path, submission: Submission, lacks: Sequence[Part] = ()) -> None:
    """Raise `SubmissionError` where the board has no place for it, for what `add` says."""
    place = _place(board, submission.manifest.benchmark, submission.manifest.name)
    before = on_board(board, submission)
    if not before:
        _check_new(submission, place, _events(place))
        _check_key(submission, place)
    elif set(lacks) >= set(before):
        message = f"{submission.manifest.name!r} is on the board, its {' and '.join(before)} "
        message += "unchecked, and they are not here now either; say where they lie: "
        raise SubmissionError(f"{message}-p dataset.root=FOLDER, say")


def on_board(board: Path, submission: Submission) -> tuple[Part, ...]:
    """What is unchecked of a submission that is on the board and ranked; () where nothing is."""
    manifest = submission.manifest
    place = _place(board, manifest.benchmark, manifest.name)
    events = _events(place)
    current = standing(events, place / EVENTS).current
    return unchecked(events, manifest.record_key) if current == manifest.record_key else ()


def _check_new(submission: Submission, place: Path, events: list[Event]) -> None:
    """Raise `SubmissionError` unless the name is free or the submission supersedes its last."""
    manifest, last = submission.manifest, standing(events, place / EVENTS).last
    name, key = manifest.name, manifest.record_key
    if any(event.key == key for event in events):
        raise SubmissionError(f"{name!r} has been added with key {key[:DIGITS]} already: {place}")
    if last is not None and manifest.supersedes != last:
        raise SubmissionError(
            f"the name {name!r} is taken by {last[:DIGITS]} ({place}); choose another name, or "
            f"submit it with supersedes {last}"
        )
    if last is None and manifest.supersedes is not None:
        raise SubmissionError(
            f"{name!r} supersedes {manifest.supersedes[:DIGITS]}, and the board has no such entry "
            "of this name; leave supersedes out"
        )


def _check_key(submission: Submission, place: Path) -> None:
    """Raise `SubmissionError` where the same record is on the board under another name."""
    key = submission.manifest.record_key[:DIGITS]
    for other in _folders(place.parent):
        if other != place and (other / key).exists():
            raise SubmissionError(f"the same record is on the board as {other.name!r}: {other}")


def _put(folder: Path, submission: Submission) -> None:
    """Write the files as they were read; a folder that an interrupted call left is believed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.is_symlink() or folder.exists():
        if folder.is_symlink() or _bytes(folder) != dict(submission.files):
            raise SubmissionError(f"{folder} is there already and holds something else; look at it")
        return
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".adding-") as name:
        whole = Path(name) / "whole"
        whole.mkdir()
        for file, data in submission.files.items():
            (whole / file).write_bytes(data)
        whole.rename(folder)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def withdraw(board: Path, benchmark: str, name: str, reason: str, on: date) -> None:
    """Rank an entry no more; its files and its history stay."""
    fault = text_fault(reason, LONGEST) if reason.strip() else "is empty"
    if fault:
        raise SubmissionError(f"the reason why {name!r} is withdrawn {fault}; say it in a line")
    key, events, file = _current(board, benchmark, name)
    event = Event(event="withdrawn", key=key, date=on.isoformat(), reason=reason)
    write_events(file, [*events, event])


def note_fresh(board: Path, benchmark: str, name: str, fresh: FreshCheck, on: date) -> None:
    """Note what the current entry of a name scored on new images."""
    key, events, file = _current(board, benchmark, name)
    event = Event(event="fresh-checked", key=key, date=on.isoformat(), fresh=fresh)
    write_events(file, [*events, event])


def _current(board: Path, benchmark: str, name: str) -> tuple[str, list[Event], Path]:
    """The key of a name that is ranked, with all that happened and the file of it."""
    names = {entry.name for entry in entries(board, benchmark)}
    if name not in names:
        raise UnknownNameError("entry of the board", name, names)
    file = _place(board, benchmark, name) / EVENTS
    events = read_events(file)
    return standing(events, file).current or "", events, file


def history(board: Path, benchmark: str, name: str) -> list[Event]:
    """All that ever happened to a name, the first first; nothing where there is no such name."""
    return _events(_place(board, benchmark, name))


def entries(board: Path, benchmark: str) -> list[BoardEntry]:
    """The entries of a benchmark that are ranked, by name.

    `SubmissionError` where the board's files and its history do not belong together.
    """
    places = _folders(_place(board, benchmark))
    return [entry for place in places if (entry := _entry(benchmark, place)) is not None]


def benchmarks(board: Path) -> list[str]:
    """The benchmarks that the board has, or had, entries of."""
    return [folder.name for folder in _folders(board / "records")]


def _entry(benchmark: str, place: Path) -> BoardEntry | None:
    events = read_events(place / EVENTS)
    added = {event.key: event.date for event in events if event.event == "added"}
    _check_folders(place, {key[:DIGITS] for key in added})
    current = standing(events, place / EVENTS).current
    if current is None:
        return None
    fresh = tuple(event.fresh for event in events if event.fresh and event.key == current)
    before = tuple(key for key in added if key != current)
    folder = place / current[:DIGITS]
    lacks = unchecked(events, current)
    return BoardEntry(benchmark, place.name, current, folder, added[current], before, fresh, lacks)


def _check_folders(place: Path, expected: set[str]) -> None:
    """Raise `SubmissionError` unless there is a folder of each submission, and no other."""
    there = {folder.name for folder in _folders(place)}
    for name in sorted(expected - there):
        raise SubmissionError(f"{place / name} is gone, and was added; {RESTORE}")
    for name in sorted(there - expected):
        raise SubmissionError(f"{place / name} was never added, says {EVENTS}; add it again")


def _events(place: Path) -> list[Event]:
    return read_events(place / EVENTS) if (place / EVENTS).exists() else []


def _folders(folder: Path) -> Iterator[Path]:
    """The folders in a folder by name; what begins with a dot is no part of a board."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in paths:
        if path.is_symlink():
            raise SubmissionError(f"{path} is a link, and a board has none; remove it")
        if path.is_dir() and not path.name.startswith("."):
            yield path


def _place(board: Path, *names: str) -> Path:
    """Where a benchmark, or a name in it, lies: `SubmissionError` for what is no such name."""
    for name in names:
        if not _SLUG.fullmatch(name):
            raise SubmissionError(
                f"{name[:80]!a} is no name on a board; small letters, digits and hyphens make one"
            )
    return board.joinpath("records", *names)
