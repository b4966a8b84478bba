"""Tables in text files: a row a line, its cells parted by a comma, semicolon, tab or blank.

Numbers of a file that is as it should be are read in one go; any other file is read again line
by line, to name the line that is wrong.
"""

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources.abc import Traversable
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from xbench.errors import DatasetError

DELIMITERS = (",", ";", "\t")
"""Those that spreadsheets write; of two that would do, the first."""
DECLARATION = re.compile(r"sep=([^\r\n])(?=[\r\n]|\Z)")
"""The first line in which a spreadsheet says what the delimiter is."""
SAMPLED = 50
"""How many rows are looked at to tell the delimiter."""
LISTED, WIDTH = 5, 60
"""How many columns a message names, and how much of a line it shows."""

Columns = Mapping[str, type]
"""The type, int or float, of each column by name."""
LARGEST = 1 << 63
"""Whole numbers have eight bytes."""
_TYPES = {int: pa.int64(), float: pa.float64()}


class TableRow(NamedTuple):
    """One row of a table."""

    line: int
    """Where it begins, counted from 1."""
    cells: list[str]


def read_rows(file: str | Traversable, delimiter: str, what: str = "") -> list[TableRow]:
    """Each line up to the last that holds something, cells as they stand; some may be empty.

    `DatasetError` where the file, which `what` names, cannot be read.
    """
    what = what or str(file)
    rows = list(_rows(_text(file, what), delimiter, what))
    while rows and not "".join(rows[-1].cells).strip():
        rows.pop()
    return rows


def read_spreadsheet(file: str | Traversable, what: str = "") -> list[TableRow]:
    """The rows that hold something, cells without blanks around them.

    The delimiter is told from the rows, or from a first line such as `sep=;`. `DatasetError`
    where the file, which `what` names, cannot be read.
    """
    what = what or str(file)
    text = _text(file, what)
    declared = DECLARATION.match(text)
    if declared is None:
        rows = _rows(text, _delimiter(text), what)
    else:  # what is left of the first line still counts as one
        rows = _rows(text[declared.end() :], declared[1], what)
    stripped = (TableRow(line, [cell.strip() for cell in cells]) for line, cells in rows)
    return [row for row in stripped if any(row.cells)]


def read_numbers(path: Path, columns: Columns, *, surplus: str = "") -> dict[str, np.ndarray]:
    """Columns of numbers parted by blanks; row i is line i + 1.

    `DatasetError` names the line that is short or not numeric. `surplus` names a number that
    ends each line and is not returned; some lines may have further fields.
    """
    try:
        table = _read_at_once(path, columns, surplus)
    except (ValueError, OSError):
        return _read_by_line(path, columns, surplus)
    if all(np.isfinite(values).all() for values in table.values()):
        return table
    return _read_by_line(path, columns, surplus)


def line_error(file: Path | str, line: int, message: str) -> DatasetError:
    """The error that says what is wrong with a line of a file."""
    return DatasetError(f"{file}, line {line}: {message}")


def shown_line(line: str) -> str:
    """The line as a message quotes it."""
    text = line.strip()
    return repr(text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}...")


def _text(file: str | Traversable, what: str) -> str:
    place = Path(file).expanduser() if isinstance(file, str) else file
    try:
        return place.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise line_error(what, line, "it cannot be read (it is not UTF-8)") from error
    except OSError as error:
        raise DatasetError(f"{what}: it cannot be read ({error})") from error


def _rows(text: str, delimiter: str, what: str) -> Iterator[TableRow]:
    """All rows; one with a quoted line break goes over several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield TableRow(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise line_error(what, line, f"it cannot be read ({error})") from error


def _delimiter(text: str) -> str:
    """What parts the first rows into equally many cells, or else at least the first row."""
    first = text.lstrip("\r\n").partition("\n")[0]
    alike = [mark for mark in DELIMITERS if _parts_alike(text, mark)]
    return next(iter([*alike, *(mark for mark in DELIMITERS if mark in first), DELIMITERS[0]]))


def _parts_alike(text: str, delimiter: str) -> bool:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        widths = {len(row) for row in islice(filter(None, rows), SAMPLED)}
    except csv.Error:
        return False
    return len(widths) == 1 and widths != {1}


def _read_at_once(path: Path, columns: Columns, surplus: str) -> dict[str, np.ndarray]:
    kinds = {**columns, surplus: float} if surplus else columns
    longer: list[arrow_csv.InvalidRow] = []

    def judge(row: arrow_csv.InvalidRow) -> Literal["skip", "error"]:
        if not surplus or row.actual_columns < row.expected_columns:
            return "error"
        longer.append(row)
        return "skip"

    table = arrow_csv.read_csv(
        path,
        read_options=arrow_csv.ReadOptions(column_names=list(kinds), use_threads=False),
        parse_options=arrow_csv.ParseOptions(
            delimiter=" ", quote_char=False, ignore_empty_lines=False, invalid_row_handler=judge
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types={name: _TYPES[kind] for name, kind in kinds.items()}, null_values=[]
        ),
    )
    return _inserted({name: table[name].to_numpy() for name in columns}, columns, longer)


def _inserted(
    table: dict[str, np.ndarray], columns: Columns, longer: Sequence[arrow_csv.InvalidRow]
) -> dict[str, np.ndarray]:
    """The table with the first fields of longer lines put back at their places."""
    if not longer:
        return table
    places = [row.number - 1 - before for before, row in enumerate(longer)]
    words = [row.text.split() for row in longer]
    return {
        name: np.insert(table[name], places, [kind(line[index]) for line in words])
        for index, (name, kind) in enumerate(columns.items())
    }


def _read_by_line(path: Path, columns: Columns, surplus: str) -> dict[str, np.ndarray]:
    fields: list[list[float]] = [[] for _ in columns]
    for line, cells in _rows(_text(path, str(path)).rstrip() or "\n", " ", str(path)):
        words = " ".join(cells).split()
        if len(words) < len(columns) or (len(words) > len(columns) and not surplus):
            raise line_error(path, line, _miscounted(columns, words, " ".join(cells)))
        for column, (name, kind), word in zip(fields, columns.items(), words, strict=False):
            column.append(_number(path, line, name, kind, word))
    pairs = zip(fields, columns.values(), strict=True)
    arrays = (np.array(field, np.int64 if kind is int else np.float64) for field, kind in pairs)
    return dict(zip(columns, arrays, strict=True))


def _number(path: Path, line: int, name: str, kind: type, word: str) -> float:
    try:
        number: float = kind(word)
    except ValueError:
        number = math.nan
    if not (-LARGEST <= number < LARGEST if kind is int else math.isfinite(number)):
        noun = "a whole number" if kind is int else "a number"
        raise line_error(path, line, f"{name} should be {noun}, found {word!r}")
    return number


def _miscounted(columns: Columns, words: Sequence[str], line: str) -> str:
    names = ", ".join(columns) if len(columns) <= LISTED else "numbers"
    return f"expected {len(columns)} fields ({names}), found {len(words)}: {shown_line(line)}"
