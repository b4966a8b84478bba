"""What class similarities must do."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor

from xbench.errors import DatasetError, MismatchError
from xbench.interfaces.data.similarity import Similarity, checked_similarity
from xbench.testing.conformance.rules import Beside, Rule, form, is_tensor
from xbench.testing.tiny import TinyDataset


def rules(similarity: Similarity, beside: Beside) -> Iterator[Rule]:
    """None where it speaks of the classes of another dataset, or of files that are not here."""
    try:
        matrix = similarity.matrix(TinyDataset())
    except (DatasetError, MismatchError):
        return
    yield Rule("matrix", partial(_matrix, matrix))
    yield Rule("repeatable", partial(_repeatable, similarity, matrix))
    yield Rule("labels needed", partial(_labels_needed, similarity))


def _matrix(matrix: Any) -> Iterator[str]:
    if not is_tensor(matrix, (-1, -1)):
        yield f"makes {form(matrix)}, not a matrix"
        return
    if matrix.dtype != torch.float64:
        yield f"makes a matrix of type {matrix.dtype}, not of double precision"
    try:
        checked_similarity(matrix, TinyDataset().class_names(), "its matrix")
    except MismatchError as error:
        yield str(error)


def _repeatable(similarity: Similarity, matrix: Tensor) -> Iterator[str]:
    again = similarity.matrix(TinyDataset())
    if not torch.equal(matrix.nan_to_num(), again.nan_to_num()):
        yield "makes another matrix when it is asked again"


def _labels_needed(similarity: Similarity) -> Iterator[str]:
    count = similarity.labels_needed(TinyDataset())
    if not isinstance(count, int) or count < 0:
        yield f"says that it takes {count!r} human judgements"
