"""Tables of answers: who took which image for what, a line each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from xbench import DatasetError, TableRow, line_error, read_spreadsheet

LONGEST = 40
"""How many letters of a wrong cell a message shows."""


class Columns(NamedTuple):
    """What the columns of a table are called."""

    image: str
    annotator: str
    """"" for a table that does not say who answered."""
    label: str


class Answer(NamedTuple):
    """One line of a table."""

    line: int
    image: str
    annotator: str
    label: str


def read_answers(
    file: str, columns: Columns, kept: Mapping[str, str], what: str
) -> tuple[Answer, ...]:
    """The answers of the lines that have the `kept` values in the columns of these names.

    `DatasetError` names the file, the line and what is wrong there.
    """
    (_, head), *rows = read_spreadsheet(file, what) or [TableRow(1, [])]
    _check_head(head, [*filter(None, columns), *kept], what)
    answers = tuple(_answers(head, rows, columns, kept, what))
    if not answers:
        asked = " and ".join(f"{name}={value}" for name, value in kept.items())
        raise DatasetError(f"{what}: it holds no answers" + (f" with {asked}" if asked else ""))
    return answers


def _check_head(head: Sequence[str], needed: Sequence[str], what: str) -> None:
    missing = [name for name in needed if name not in head]
    if missing:
        raise DatasetError(
            f"{what}: its first line lacks {', '.join(missing)}; it has {', '.join(head[:12])}. "
            "The parameters image, annotator and label say what its columns are called"
        )


def _answers(
    head: Sequence[str],
    rows: Sequence[TableRow],
    columns: Columns,
    kept: Mapping[str, str],
    what: str,
) -> Iterator[Answer]:
    for line, row in rows:
        cells = dict(zip(head, row, strict=False))
        if all(cells.get(name, "") == value for name, value in kept.items()):
            yield _answer(line, cells, columns, what)


def _answer(line: int, cells: Mapping[str, str], columns: Columns, what: str) -> Answer:
    values = [cells.get(name, "") if name else "" for name in columns]
    for name, value in zip(columns, values, strict=True):
        if name and not value:
            raise line_error(what, line, f"{name} is empty")
    return Answer(line, *values)


def answered_class(answer: Answer, classes: Mapping[str, int], what: str) -> int:
    """The class of an answer, by its name, or by its number where no class has that name."""
    text = answer.label
    if text in classes:
        return classes[text]
    if text.isdecimal() and len(text) < LONGEST and int(text) < len(classes):
        return int(text)
    names = ", ".join(list(classes)[:10])
    raise line_error(
        what,
        answer.line,
        f"{text[:LONGEST]!r} is no class; classes are {names}{', …' if len(classes) > 10 else ''}, "
        f"or their numbers, 0 to {len(classes) - 1}",
    )
