"""What has happened to an entry of a board: one line for each event, and none ever goes."""

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints, ValidationError

from xbench.errors import SubmissionError
from xbench.results.board.strict_json import strict_json
from xbench.results.board.submission import LONGEST, Day, Key, Line
from xbench.results.record import Strict

EVENTS = "events.jsonl"
MOST_BYTES = 4 * 2**20
RESTORE = "restore the file from the board's version history"
"""The way out of a history that is damaged."""


class FreshCheck(Strict):
    """What an entry scored on images that were drawn after it was submitted."""

    seed: int = Field(ge=0)
    """Of the images."""
    cases: int = Field(ge=1)
    score: Line
    submitted: float
    """Its value in the submission."""
    fresh: float
    """And on the new images."""
    drop: float
    """How much worse it is there, with its interval."""
    low: float
    high: float


Part = Literal["images", "weights"]
"""What of a submission cannot be checked where it does not lie."""


class Event(Strict):
    """Something that happened to an entry."""

    event: Literal["added", "superseded", "withdrawn", "fresh-checked", "checked"]
    key: Key
    date: Day
    by: Key | None = None
    """What took its place, where it was superseded."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)] | None = None
    """Why it was withdrawn."""
    fresh: FreshCheck | None = None
    unchecked: Annotated[list[Part], Field(min_length=1)] | None = None
    """What of it was not there to be checked."""


DETAIL = {"superseded": "by", "withdrawn": "reason", "fresh-checked": "fresh"}
"""What each event says beside its key and its date; others say nothing."""
CHECKS = ("added", "checked")
"""Events that may say what is unchecked; nothing is where the last of them does not say it."""
NOTES = ("fresh-checked", "checked")
"""Events that change nothing in what is ranked."""


class Standing(NamedTuple):
    """What the events so far make of a name."""

    current: str | None
    """The key of the entry that is ranked."""
    last: str | None
    """The key that was added last."""


def read_events(file: Path) -> list[Event]:
    """All events of a name, the first first; `SubmissionError` names the line that is wrong."""
    if file.is_symlink() or not file.is_file():
        raise SubmissionError(f"{file} is not there, or is no file; {RESTORE}")
    if file.stat().st_size > MOST_BYTES:
        raise SubmissionError(f"{file} has more than {MOST_BYTES} bytes; {RESTORE}")
    data = file.read_bytes()
    *lines, rest = data.split(b"\n")
    if rest or not lines:
        raise SubmissionError(f"{file} ends within line {len(lines) + 1}; {RESTORE}")
    events = [_event(line, f"{file}, line {place}") for place, line in enumerate(lines, 1)]
    standing(events, file)
    return events


def _event(line: bytes, what: str) -> Event:
    tree = strict_json(line, what, LONGEST)
    try:
        event = Event.model_validate(tree, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise SubmissionError(f"{what}, at {place}: {first['msg']}; {RESTORE}") from error
    given = {name for name in DETAIL.values() if getattr(event, name) is not None}
    wanted = {name for of, name in DETAIL.items() if of == event.event}
    if given != wanted or (event.unchecked and event.event not in CHECKS):
        raise SubmissionError(f"{what}: says too much or too little of {event.event!r}; {RESTORE}")
    return event


def standing(events: Iterable[Event], file: Path) -> Standing:
    """What the events make of their name; `SubmissionError` where one cannot follow the others."""
    current: str | None = None
    added: list[str] = []
    for line, event in enumerate(events, 1):
        known = event.key in added
        follows = not known and not current if event.event == "added" else event.key == current
        if not (follows or (event.event in NOTES and known)):
            raise SubmissionError(
                f"{file}, line {line}: {event.key[:12]} cannot be {event.event} here; {RESTORE}"
            )
        if event.event == "added":
            added.append(event.key)
            current = event.key
        elif event.event not in NOTES:
            current = None
    return Standing(current, added[-1] if added else None)


def unchecked(events: Iterable[Event], key: str) -> tuple[Part, ...]:
    """What of a submission is unchecked, by the last event that tells."""
    checks = [event for event in events if event.key == key and event.event in CHECKS]
    return tuple(checks[-1].unchecked or ()) if checks else ()


def write_events(file: Path, events: Sequence[Event]) -> None:
    """Put the whole file in the place of the one before, at once."""
    standing(events, file)
    text = "".join(f"{event.model_dump_json(exclude_none=True)}\n" for event in events)
    with tempfile.NamedTemporaryFile(
        "w", dir=file.parent, prefix=".events-", delete=False, encoding="utf-8", newline="\n"
    ) as temporary:
        temporary.write(text)
        temporary.flush()
        os.fsync(temporary.fileno())
    place = Path(temporary.name)
    place.chmod(0o644)
    place.replace(file)
