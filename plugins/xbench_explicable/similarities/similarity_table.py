"""Similarities from a table in a file."""

import csv
import io
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float64
from torch import Tensor

from xbench import (
    Dataset,
    DatasetError,
    MismatchError,
    Similarity,
    checked_similarity,
    location,
    read_spreadsheet,
)
from xbench_explicable.similarities.matching import places

CORNER = "true\\predicted"


class Table(NamedTuple):
    """A table of true by predicted classes, as it stands in a file."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: Float64[Tensor, "rows columns"]


@dataclass(frozen=True)
class SimilarityTable(Similarity):
    """Similarities from a text file with a line for each true class.

    Predicted classes stand in its first line, a true class at the start of each other. Classes
    may stand in any order; they are matched by name.
    """

    name: ClassVar[str] = "table"
    example = MappingProxyType({"file": "similarity.csv"})

    file: str = location()

    def matrix(self, dataset: Dataset) -> Float64[Tensor, "classes classes"]:
        """The numbers as they stand, in the order of the dataset's classes."""
        table, names = read_table(self.file), dataset.class_names()
        rows = places(names, table.rows, f"the first column of {self.file}")
        columns = places(names, table.columns, f"the first line of {self.file}")
        return checked_similarity(table.values[rows][:, columns], names, self.file)


def read_table(file: str) -> Table:
    """The table in a file; `DatasetError` names the file, the line and what is wrong."""
    lines = read_spreadsheet(file)
    if len(lines) < 2:
        raise DatasetError(
            f"{file} holds no table: write an empty cell and the predicted classes in its first "
            "line, then a true class and its numbers in each of the others"
        )
    columns = tuple(lines[0][1][1:])
    values = [_values(file, number, row, columns) for number, row in lines[1:]]
    rows = tuple(row[0] for _, row in lines[1:])
    return Table(rows, columns, torch.tensor(values, dtype=torch.float64))


def _values(file: str, number: int, row: list[str], columns: tuple[str, ...]) -> list[float]:
    if len(row) != len(columns) + 1:
        raise MismatchError(
            f"{file}, line {number}: {len(row) - 1} numbers for {len(columns)} predicted classes"
        )
    return [
        _value(cell, f"{file}, line {number}, column {name!r}")
        for name, cell in zip(columns, row[1:], strict=True)
    ]


def _value(cell: str, where: str) -> float:
    try:
        return float(cell)
    except ValueError as error:
        raise DatasetError(f"{where}: {cell!r} is no number") from error


def table_text(matrix: Float64[Tensor, "classes classes"], names: tuple[str, ...]) -> str:
    """A table as a file holds it, with all digits: what is read is what was written."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([CORNER, *names])
    for name, row in zip(names, matrix.tolist(), strict=True):
        writer.writerow([name, *map(repr, row)])
    return file.getvalue()
