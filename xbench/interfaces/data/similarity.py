"""Class similarities: how reasonable it is to take one class for another."""

from abc import abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from xbench.errors import MismatchError
from xbench.interfaces.component import Component
from xbench.interfaces.data.dataset import Dataset


class Similarity(Component):
    """Says how near the classes of a dataset are, in a matrix of true by predicted classes."""

    kind: ClassVar[str] = "similarity"

    @abstractmethod
    def matrix(self, dataset: Dataset) -> Float64[Tensor, "classes classes"]:
        """Rows are true classes, columns predicted ones, as they come: not normalised.

        Larger is nearer; nothing is negative. `MismatchError` or `DatasetError` where it
        cannot be had for this dataset's classes.
        """

    def labels_needed(self, dataset: Dataset) -> int:
        """How many human judgements it takes, beyond the dataset's own labels; 0 by default."""
        return 0


def checked_similarity(
    matrix: Float64[Tensor, "rows columns"], names: tuple[str, ...], what: str
) -> Float64[Tensor, "classes classes"]:
    """The matrix, or `MismatchError` that says what of it cannot be a similarity of the classes.

    Another size, values that are negative or no numbers, and rows of zeros are refused, by name.
    """
    if matrix.shape != (len(names), len(names)):
        rows, columns = matrix.shape
        raise MismatchError(
            f"{what} is {rows} × {columns}, but there are {len(names)} classes; "
            "it needs one row and one column for each class, in their order"
        )
    for bad, fault in (
        (~torch.isfinite(matrix), "is no number"),
        (matrix < 0, "is negative"),
    ):
        if bad.any():
            row, column = bad.nonzero()[0].tolist()
            raise MismatchError(
                f"{what}: the similarity of {names[row]!r} (true) and {names[column]!r} "
                f"(predicted) {fault}: {float(matrix[row, column])}"
            )
    sums = matrix.sum(1)
    for wrong, fault in ((sums == 0, "is all zeros"), (torch.isinf(sums), "has an infinite sum")):
        if wrong.any():
            name = names[int(wrong.nonzero()[0, 0])]
            raise MismatchError(f"{what}: the row of {name!r} {fault}, so it cannot be normalised")
    return matrix


def normalised_similarity(
    matrix: Float64[Tensor, "classes classes"],
) -> Float64[Tensor, "classes classes"]:
    """The matrix with rows that sum to 1."""
    return matrix / matrix.sum(1, keepdim=True)
