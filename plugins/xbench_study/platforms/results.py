"""Cells of a platform's results, however its forms write what was chosen."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

ANSWER = "Answer."
TASK = "Answer.taskAnswers"
TRUE = "true"


def plain_cells(cells: Mapping[str, str]) -> dict[str, str]:
    """The cells of a row, with what was chosen as `Answer.NAME`.

    Forms of Crowd HTML give a column `Answer.NAME.VALUE` for each button, `true` where it was
    chosen, or all of it as JSON in `Answer.taskAnswers`; others give `Answer.NAME`, which stays.
    `ValueError` for JSON that is none of theirs.
    """
    given = {name: cell for name, cell in cells.items() if name != TASK}
    chosen = [*_buttons(given), *_task(cells.get(TASK, ""))]
    for name, value in chosen:
        given[name] = f"{given[name]} {value}" if name in given else value
    return given


def _buttons(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, cell in cells.items():
        field, dot, value = name.removeprefix(ANSWER).partition(".")
        if name.startswith(ANSWER) and dot and cell.lower() == TRUE:
            yield ANSWER + field, value


def _task(text: str) -> Iterator[tuple[str, str]]:
    if not text:
        return
    try:
        (answers,) = json.loads(text)
        fields: Mapping[str, Any] = dict(answers)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{TASK} is no answer of one form: {text[:60]!r}") from error
    for name, value in fields.items():
        yield from ((ANSWER + name, chosen) for chosen in _chosen(value))


def _chosen(value: object) -> list[str]:
    """What stands in a field: a text, or the buttons that were chosen."""
    if isinstance(value, Mapping):
        return [name for name, on in value.items() if on is True]
    return [value] if isinstance(value, str) and value else []
