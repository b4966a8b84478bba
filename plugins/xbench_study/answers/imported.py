"""Answers that were given on Mechanical Turk, from the CSV file of its results.

One row is one answer of one worker to one item. Columns that are read, others are not:

WorkerId            who answered; one worker is one participant
Input.item          the item's key
Input.condition     its condition; not needed where the study has one
Input.options       keys of the options in the order shown, parted by blanks; else the item's order
Answer.option       what was chosen: a key, several parted by `|` or blanks, or `unsure`
Answer.degree-KEY   of a rating: the degree of the option KEY, from 0, or `unsure`
Answer.skip         anything: the question was skipped
Answer.NAME.VALUE   `true` where a form of Crowd HTML writes what was chosen so; likewise
Answer.taskAnswers  the same as JSON
Answer.seconds      how long it took; else WorkTimeInSeconds; else it is not known

Rows are stored all together or, where one is wrong, not at all.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, insert, select, update

from xbench import TableRow, line_error, read_spreadsheet
from xbench_study.answers.assignment import conditions_of
from xbench_study.answers.enrolment import new_token
from xbench_study.answers.replies import fault, plain_reply
from xbench_study.answers.steps import Choice, Ratings, Reply, Skipped
from xbench_study.answers.storage.tables import answers, participants, platforms, trials
from xbench_study.material.item import Item
from xbench_study.material.study import Study
from xbench_study.platforms.results import plain_cells

if TYPE_CHECKING:
    from xbench_study.answers.book import AnswerBook

WORKER, ITEM, CONDITION = "WorkerId", "Input.item", "Input.condition"
ORDER, OPTION, DEGREE, SKIP = "Input.options", "Answer.option", "Answer.degree-", "Answer.skip"
SECONDS = ("Answer.seconds", "WorkTimeInSeconds")
UNSURE = "unsure"
ELSEWHERE = "elsewhere"
"""Stands for the hash of the text that was consented to: it was shown by others."""


@dataclass(frozen=True)
class Line:
    """A row of the file, checked."""

    number: int
    worker: str
    item: Item
    condition: str
    options: tuple[str, ...]
    reply: Reply
    seconds: float | None


def import_answers(book: "AnswerBook", file: Path, now: float) -> int:
    """Store the answers of a file; how many.

    `DatasetError` names the line whose item, condition, option or degree is none of the study's,
    or that a worker answered before; then nothing is stored.
    """
    lines = list(_lines(book.study, file))
    with book.database.writing(alone=True) as connection:
        by_worker: dict[str, list[Line]] = {}
        for line in lines:
            by_worker.setdefault(line.worker, []).append(line)
        for worker, given in by_worker.items():
            _store(connection, book.study, (file, worker, given), now)
    return len(lines)


def _lines(study: Study, file: Path) -> Iterator[Line]:
    head, *rows = read_spreadsheet(file) or [TableRow(1, [])]
    missing = [name for name in (WORKER, ITEM) if name not in head.cells]
    if missing:
        raise line_error(file, head.line, f"there is no column {missing[0]}")
    for row in rows:
        cells = dict(zip(head.cells, row.cells, strict=False))
        try:
            told = plain_cells({name: cell for name, cell in cells.items() if cell})
            yield _line(study, row.line, told)
        except ValueError as error:
            raise line_error(file, row.line, str(error)) from error


def _line(study: Study, number: int, cells: Mapping[str, str]) -> Line:
    """A row, or `ValueError` that says what is wrong with it."""
    if WORKER not in cells:
        raise ValueError(f"{WORKER} is empty")
    item = study.items.get(cells.get(ITEM, ""))
    if item is None:
        raise ValueError(f"the study has no item {cells.get(ITEM, '')!r} ({ITEM})")
    options = _order(item, cells.get(ORDER, ""))
    reply = _reply(cells, options)
    reason = fault(reply, study.description.question, options)
    if reason:
        raise ValueError(f"{reason} (item {item.key}, {_said(cells)})")
    return Line(
        number,
        cells[WORKER],
        item,
        _condition(study, item, cells.get(CONDITION, "")),
        options,
        reply,
        _seconds(cells),
    )


def _condition(study: Study, item: Item, name: str) -> str:
    names = conditions_of(study, item)
    if not name and len(names) == 1:
        return names[0]
    if name not in names:
        listed = ", ".join(names)
        raise ValueError(f"item {item.key} is not shown in condition {name!r}, but in {listed}")
    return name


def _order(item: Item, order: str) -> tuple[str, ...]:
    keys = tuple(option.key for option in item.options)
    shown = tuple(order.split()) or keys
    if sorted(shown) != sorted(keys):
        raise ValueError(f"{ORDER} are not the options of item {item.key}")
    return shown


def _reply(cells: Mapping[str, str], options: Sequence[str]) -> Reply:
    degrees = {
        name.removeprefix(DEGREE): _degree(name, cell)
        for name, cell in cells.items()
        if name.startswith(DEGREE)
    }
    if SKIP in cells:
        return Skipped()
    if degrees:
        return Ratings(degrees)
    chosen = cells.get(OPTION, "").replace("|", " ").split()
    return Choice((), unsure=True) if chosen == [UNSURE] else Choice(tuple(chosen))


def _degree(name: str, cell: str) -> int | None:
    if cell != UNSURE and not cell.isdecimal():
        raise ValueError(f"{name} is {cell!r}; it is a whole number from 0, or {UNSURE}")
    return None if cell == UNSURE else int(cell)


def _said(cells: Mapping[str, str]) -> str:
    """The cells of the answer, as a message shows them."""
    names = [name for name in cells if name == OPTION or name.startswith(DEGREE)]
    return ", ".join(f"{name} {cells[name]!r}" for name in names[:3]) or "no answer"


def _seconds(cells: Mapping[str, str]) -> float | None:
    name = next((name for name in SECONDS if name in cells), "")
    if not name:
        return None
    seconds = float(cells[name]) if _is_number(cells[name]) else -1.0
    if not 0 <= seconds < float("inf"):
        raise ValueError(f"{name} is {cells[name]!r}; it is a number of seconds")
    return seconds


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _store(
    connection: Connection, study: Study, given: tuple[Path, str, list[Line]], now: float
) -> None:
    """Store the answers of one worker, who may have given others before."""
    file, worker, lines = given
    query = select(platforms.c.participant).where(platforms.c.name == worker)
    number = connection.execute(query).scalar()
    if number is None:
        number = _worker(connection, study, worker, lines, now)
    before = select(trials.c.item, trials.c.condition).where(trials.c.participant == number)
    met = [(item, condition) for item, condition in connection.execute(before)]
    for line in lines:
        _check_new(study, file, line, met)
        _store_line(connection, line, (number, len(met)), now)
        met.append((line.item.key, line.condition))
    counted = select(func.count()).where(trials.c.participant == number).scalar_subquery()
    person = update(participants).where(participants.c.number == number)
    connection.execute(person.values(trials=counted))


def _check_new(study: Study, file: Path, line: Line, met: Sequence[tuple[str, str]]) -> None:
    if line.item.key in [item for item, _ in met]:
        raise line_error(
            file, line.number, f"worker {line.worker} has answered item {line.item.key} before"
        )
    between = study.description.assignment.conditions == "between"
    if between and any(condition != line.condition for _, condition in met):
        raise line_error(
            file,
            line.number,
            f"worker {line.worker} is in two conditions, and the study has one a participant; "
            'leave out their rows, or set assignment.conditions = "within"',
        )


def _worker(
    connection: Connection, study: Study, worker: str, lines: Sequence[Line], now: float
) -> int:
    between = study.description.assignment.conditions == "between"
    known = [line.seconds for line in lines if line.seconds is not None]
    person = insert(participants).values(
        condition=lines[0].condition if between else "",
        state="finished",
        pilot=False,
        consent=ELSEWHERE,
        seed=secrets.randbits(31),
        trials=0,
        started_at=now - sum(known),
        ended_at=now if len(known) == len(lines) else None,
    )
    number = connection.execute(person.returning(participants.c.number)).scalar_one()
    row = {"name": worker, "study": "", "session": "", "participant": number}
    connection.execute(insert(platforms).values(**row))
    new_token(connection, study, number)  # told nobody: copies are known to be of a person by it
    return number


def _store_line(connection: Connection, line: Line, place: tuple[int, int], now: float) -> None:
    number, position = place
    trial = insert(trials).values(
        participant=number,
        position=position,
        item=line.item.key,
        kind=line.item.kind,
        condition=line.condition,
        options=" ".join(line.options),
        shown_at=now - (line.seconds or 0.0),
    )
    key = connection.execute(trial.returning(trials.c.id)).scalar_one()
    row = {"trial": key, "reply": plain_reply(line.reply), "stored_at": now}
    connection.execute(insert(answers).values(**row, seconds=line.seconds))
