"""Tables of what people say of taking one class for another."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

from xbench.errors import DatasetError

COLUMNS = ("person", "true", "predicted", "rating")
EXPECTED = "expected"
"""The column that says, for a bait question, what everybody who reads it answers."""


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
    """All ratings in a CSV file, from 0 to `highest`.

    `DatasetError` names the file, the line and the value that is wrong.
    """
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"ratings={file}: it cannot be read ({error})") from error
    rows = csv.DictReader(io.StringIO(text), restval="")
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise DatasetError(
            f"ratings={file}: its first line lacks {', '.join(missing)}; it needs the columns "
            f"{', '.join(COLUMNS)}, and {EXPECTED} where there are bait questions"
        )
    found = tuple(_rating(file, rows.line_num, row, highest) for row in rows)
    if not found:
        raise DatasetError(f"ratings={file}: it holds no ratings")
    return found


def _rating(file: str, line: int, row: dict[str, str], highest: int) -> Rating:
    where = f"ratings={file}, line {line}"
    cells = {name: (row.get(name) or "").strip() for name in (*COLUMNS, EXPECTED)}
    for name in COLUMNS[:3]:
        if not cells[name]:
            raise DatasetError(f"{where}: {name} is empty")
    value = _number(cells["rating"], highest, f"{where}, column 'rating'")
    expected = cells[EXPECTED]
    right = _number(expected, highest, f"{where}, column '{EXPECTED}'") if expected else None
    return Rating(line, cells["person"], cells["true"], cells["predicted"], value, right)


def _number(cell: str, highest: int, where: str) -> int:
    if not cell.isdecimal() or int(cell) > highest:
        raise DatasetError(f"{where}: {cell!r} is no whole number from 0 to {highest}")
    return int(cell)
