"""The picture of a report on a study: what people, and stand-ins for them, answer rightly."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from jaxtyping import Int64

from xbench import Drawing, Draws, Resampling, Role, Rows
from xbench_study.analysis.figures import ALL, Bars, bar_figure
from xbench_study.kernels.clustered_means import Estimate, group_means


def answer_figure(
    rows: Mapping[str, Sequence[Rows]], roles: Mapping[str, Role], resampling: Resampling
) -> Drawing | None:
    """Right answers of each entry, of all images and by category; None where nothing is right."""
    tables = {label: pa.concat_tables(of) for label, of in rows.items()}
    tables = {label: of.filter(of["right"].is_valid()) for label, of in tables.items()}
    tables = {label: of for label, of in tables.items() if of.num_rows}
    if not tables:
        return None
    categories = sorted(
        {one for of in tables.values() for one in of["category"].to_pylist()} - {""}
    )
    groups = [ALL, *(categories if len(categories) > 1 else [])]
    draws = Draws(resampling)
    bars = [Bars(label, roles[label], _shares(of, groups, draws)) for label, of in tables.items()]
    people = sorted(bars, key=lambda of: of.role == "floor")
    return bar_figure(people, _images(list(tables.values()), groups), "people")


def _shares(table: Rows, groups: Sequence[str], draws: Draws) -> list[Estimate]:
    """Of each group; images and participants are resampled."""
    right = table["right"].cast(pa.float64()).to_numpy()
    images, people = (_places(table, name) for name in ("case", "participant"))
    categories = np.array(table["category"].to_pylist(), dtype=object)
    estimates = []
    for name in groups:
        inside = np.where((categories == name) | (name == ALL), 0, -1)
        estimates.append(group_means(images, people, right, inside, 1, draws).estimate(0))
    return estimates


def _places(table: Rows, column: str) -> Int64[np.ndarray, " n"]:
    """Equal cells have equal numbers."""
    return np.unique(table[column].to_pylist(), return_inverse=True)[1]


def _images(tables: Sequence[Rows], groups: Sequence[str]) -> dict[str, int]:
    """Of how many images each group is, over all entries."""
    of_category = {
        (category, case)
        for table in tables
        for category, case in zip(
            table["category"].to_pylist(), table["case"].to_pylist(), strict=True
        )
    }
    return {
        name: len({case for category, case in of_category if name in (ALL, category)})
        for name in groups
    }
