"""From rows to the scores of the pointing game."""

import numpy as np
import pyarrow as pa
from jaxtyping import Float64

from xbench import CaseScores, Tree


def case_scores(table: pa.Table) -> list[CaseScores]:
    """The energy inside, which ranks, and hits; beside each, what chance gives on average."""
    energy = _score(table, "energy inside", "energy", "area")
    return [energy, _score(table, "hit", "hit", "area_of_hits")]


def _score(table: pa.Table, name: str, column: str, area: str) -> CaseScores:
    cases = np.array(table.column("case").to_pylist(), object)
    values = _numbers(table, column)
    scored = ~np.isnan(values)
    chance = float(_numbers(table, area)[scored].mean()) if scored.any() else None
    return CaseScores(name, "higher", cases, values, headline=True, chance=chance)


def table_notes(table: pa.Table) -> Tree:
    """How many images have no mask, and how many maps are empty."""
    return {
        "images": len(table),
        "without_mask": int((_numbers(table, "area") == 0).sum()),
        "empty_maps": int(_numbers(table, "empty_map").sum()),
    }


def _numbers(table: pa.Table, column: str) -> Float64[np.ndarray, " n"]:
    return table.column(column).to_numpy().astype(np.float64)
