"""Tables in text files: one row a line, fields separated by a space.

A file that is as it should be is read in one go; any other is read again line by line, to
name the line that is wrong.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
from pyarrow import csv

from xbench import DatasetError

Columns = Mapping[str, type]
"""The type, int or float, of each column by name."""
Table = dict[str, np.ndarray]
"""The columns by name; row i is line i + 1."""

LISTED, WIDTH = 5, 60
"""How many columns a message names, and how much of a line it shows."""

_TYPES = {int: pa.int64(), float: pa.float64()}


def fault(path: Path, line: int, message: str) -> DatasetError:
    """The error that says what is wrong with a line."""
    return DatasetError(f"{path}, line {line}: {message}")


def read_table(path: Path, columns: Columns, *, surplus: str = "") -> Table:
    """The numbers in a file; `DatasetError` names the line that is short or not numeric.

    `surplus` names a number that ends each line and is not returned; some lines may have
    further fields.
    """
    try:
        table = _fast(path, columns, surplus)
    except (pa.ArrowInvalid, ValueError):
        return _careful(path, columns, surplus)
    if all(np.isfinite(values).all() for values in table.values()):
        return table
    return _careful(path, columns, surplus)


def read_names(path: Path) -> list[str]:
    """The names in a file of numbered names; the numbers must count from 1."""
    names = []
    for number, (index, name) in enumerate(read_numbered(path), start=1):
        if index != number:
            raise fault(path, number, f"expected number {number}, found {index}")
        names.append(name)
    return names


def read_numbered(path: Path) -> list[tuple[int, str]]:
    """The pairs (number, text) in a file of numbered texts."""
    pairs = []
    for number, line in enumerate(read_lines(path), start=1):
        index, _, name = line.strip().partition(" ")
        if not index.isdecimal() or not name.strip():
            raise fault(path, number, f"expected a number and a name, found {shown(line)}")
        pairs.append((int(index), name.strip()))
    return pairs


def read_matrix(path: Path, rows: int, columns: int) -> np.ndarray:
    """A file of `rows` lines with `columns` numbers each."""
    table = read_table(path, {str(column): float for column in range(columns)})
    matrix = np.stack(list(table.values()), axis=1)
    if len(matrix) != rows:
        raise DatasetError(f"{path}: expected {rows} lines, found {len(matrix)}")
    return matrix


def require(path: Path, good: np.ndarray, values: np.ndarray, message: str) -> None:
    """Raise for the first row that is not good; `message` has a place for its value."""
    bad = np.flatnonzero(~good)
    if bad.size:
        raise fault(path, int(bad[0]) + 1, message.format(values[bad[0]]))


def _fast(path: Path, columns: Columns, surplus: str) -> Table:
    kinds = {**columns, surplus: float} if surplus else columns
    longer: list[csv.InvalidRow] = []

    def judge(row: csv.InvalidRow) -> Literal["skip", "error"]:
        if not surplus or row.actual_columns < row.expected_columns:
            return "error"
        longer.append(row)
        return "skip"

    table = csv.read_csv(
        path,
        read_options=csv.ReadOptions(column_names=list(kinds), use_threads=False),
        parse_options=csv.ParseOptions(
            delimiter=" ", quote_char=False, ignore_empty_lines=False, invalid_row_handler=judge
        ),
        convert_options=csv.ConvertOptions(
            column_types={name: _TYPES[kind] for name, kind in kinds.items()}, null_values=[]
        ),
    )
    return _inserted({name: table[name].to_numpy() for name in columns}, columns, longer)


def _inserted(table: Table, columns: Columns, longer: Sequence[csv.InvalidRow]) -> Table:
    """The table with the first fields of longer lines put back at their places."""
    if not longer:
        return table
    places = [row.number - 1 - before for before, row in enumerate(longer)]
    words = [row.text.split() for row in longer]
    return {
        name: np.insert(table[name], places, [kind(line[index]) for line in words])
        for index, (name, kind) in enumerate(columns.items())
    }


def _careful(path: Path, columns: Columns, surplus: str) -> Table:
    fields: list[list[float]] = [[] for _ in columns]
    for number, line in enumerate(read_lines(path), start=1):
        words = line.split()
        if len(words) < len(columns) or (len(words) > len(columns) and not surplus):
            raise fault(path, number, _miscounted(columns, words, line))
        for column, (name, kind), word in zip(fields, columns.items(), words, strict=False):
            column.append(_number(path, number, name, kind, word))
    kinds = (np.int64 if kind is int else np.float64 for kind in columns.values())
    arrays = (np.array(column, kind) for column, kind in zip(fields, kinds, strict=True))
    return dict(zip(columns, arrays, strict=True))


def _number(path: Path, line: int, name: str, kind: type, word: str) -> float:
    try:
        value = kind(word)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        noun = "a whole number" if kind is int else "a number"
        raise fault(path, line, f"{name} should be {noun}, found {word!r}")
    return value


def _miscounted(columns: Columns, words: Sequence[str], line: str) -> str:
    names = ", ".join(columns) if len(columns) <= LISTED else "numbers"
    return f"expected {len(columns)} fields ({names}), found {len(words)}: {shown(line)}"


def shown(line: str) -> str:
    """The line as a message quotes it."""
    text = line.strip()
    return repr(text if len(text) <= WIDTH else f"{text[: WIDTH - 3]}...")


def read_lines(path: Path) -> list[str]:
    """The lines, without empty ones at the end."""
    return path.read_text(encoding="utf-8", errors="replace").rstrip().split("\n")
