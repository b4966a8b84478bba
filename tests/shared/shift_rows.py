"""Rows of the shift protocol that are made by hand."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import torch

from xbench import Case
from xbench_softlabels.shift.rows import Answers, shift_rows


def rows_of(by_set: Mapping[str, Sequence[float]], ideal: float = float("nan")) -> pa.Table:
    """Rows in which each image of a set has this cross-entropy, and is right below 1."""
    tables = []
    for name, entropies in by_set.items():
        values = torch.tensor(entropies, dtype=torch.float64)
        answers = Answers(values, (values < 1).double(), torch.full_like(values, 0.9))
        cases = [Case(name, image) for image in range(len(entropies))]
        tables.append(shift_rows(name, 0, cases, answers, torch.full_like(values, ideal)))
    return pa.concat_tables(tables).unify_dictionaries()
