"""Names of cases, for scores and rows that tests make up."""

from collections.abc import Iterable

import numpy as np

from xbench import Case


def named(ids: Iterable[int], role: str = "test") -> np.ndarray:
    """The names of the cases with these ids."""
    return np.array([str(Case(role, int(number))) for number in ids], object)


def ids_of(names: Iterable[str]) -> list[int]:
    """The ids of cases with these names."""
    return [Case.parse(name).id for name in names]
