"""The lists of CUB-200-2011: names and rows of numbers, one a line."""

from pathlib import Path

import numpy as np
from jaxtyping import Float64

from xbench import DatasetError, line_error, read_numbers, read_rows, shown_line


def read_names(path: Path) -> list[str]:
    """The names in a file of numbered names; the numbers must count from 1."""
    names = []
    for line, (number, name) in enumerate(read_numbered(path), start=1):
        if number != line:
            raise line_error(path, line, f"expected number {line}, found {number}")
        names.append(name)
    return names


def read_numbered(path: Path) -> list[tuple[int, str]]:
    """The pairs (number, text) in a file of numbered texts; pair i is line i + 1."""
    pairs = []
    for line, cells in read_rows(path, " "):
        text = " ".join(cells).strip()
        number, _, name = text.partition(" ")
        if not number.isdecimal() or not name.strip():
            message = f"expected a number and a name, found {shown_line(text)}"
            raise line_error(path, line, message)
        pairs.append((int(number), name.strip()))
    return pairs


def read_matrix(path: Path, rows: int, columns: int) -> Float64[np.ndarray, "rows columns"]:
    """A file of `rows` lines with `columns` numbers each."""
    table = read_numbers(path, {str(column): float for column in range(columns)})
    matrix = np.stack(list(table.values()), axis=1)
    if len(matrix) != rows:
        raise DatasetError(f"{path}: expected {rows} lines, found {len(matrix)}")
    return matrix


def require(path: Path, good: np.ndarray, values: np.ndarray, message: str) -> None:
    """Raise for the first row that is not good; `message` has a place for its value."""
    bad = np.flatnonzero(~good)
    if bad.size:
        raise line_error(path, int(bad[0]) + 1, message.format(values[bad[0]]))
