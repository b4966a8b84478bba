"""Tables of what people say of taking one class for another."""

from typing import NamedTuple

from xbench import DatasetError, TableRow, read_spreadsheet

COLUMNS = ("person", "true", "predicted", "rating")
EXPECTED = "expected"
"""The column that says, for a bait question, what everybody who reads it answers."""
LONGEST = 40
"""How many letters of a wrong cell a message shows; no number has more."""


class Rating(NamedTuple):
    """One line of a table of ratings."""

    line: int
    person: str
    true: str
    predicted: str
    value: int
    expected: int | None
    """For a bait question, the right answer."""


def read_ratings(file: str, highest: int) -> tuple[Rating, ...]:
    """All ratings in a table, from 0 to `highest`.

    `DatasetError` names the file, the line and the value that is wrong.
    """
    (_, head), *rows = read_spreadsheet(file, f"ratings={file}") or [TableRow(1, [])]
    missing = [name for name in COLUMNS if name not in head]
    if missing:
        raise DatasetError(
            f"ratings={file}: its first line lacks {', '.join(missing)}; it needs the columns "
            f"{', '.join(COLUMNS)}, and {EXPECTED} where there are bait questions"
        )
    found = tuple(_rating(file, line, head, row, highest) for line, row in rows)
    if not found:
        raise DatasetError(f"ratings={file}: it holds no ratings")
    return found


def _rating(file: str, line: int, head: list[str], row: list[str], highest: int) -> Rating:
    where = f"ratings={file}, line {line}"
    if any(row[len(head) :]):
        raise DatasetError(f"{where}: {len(row)} cells for {len(head)} columns")
    cells = {EXPECTED: "", **dict.fromkeys(head, ""), **dict(zip(head, row, strict=False))}
    for name in COLUMNS[:3]:
        if not cells[name]:
            raise DatasetError(f"{where}: {name} is empty")
    value = _number(cells["rating"], highest, f"{where}, column 'rating'")
    expected = cells[EXPECTED]
    right = _number(expected, highest, f"{where}, column '{EXPECTED}'") if expected else None
    return Rating(line, cells["person"], cells["true"], cells["predicted"], value, right)


def _number(cell: str, highest: int, where: str) -> int:
    if not cell.isdecimal() or len(cell) > LONGEST or int(cell) > highest:
        raise DatasetError(f"{where}: {cell[:LONGEST]!r} is no whole number from 0 to {highest}")
    return int(cell)
