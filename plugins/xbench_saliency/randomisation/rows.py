"""Rows of the randomisation protocol: one per image and step."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float64, Shaped

from xbench import Case, case_column
from xbench_saliency.kernels.similarity import constant, rank_correlations
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.randomisation.stages import Step

MEASURES = ("similarity", "absolute similarity")
"""Rank correlation of maps with their signs, and of their sizes."""


class Similarities(NamedTuple):
    """What one step makes of the maps of all images."""

    measures: Mapping[str, Float64[np.ndarray, " n"]]
    constant: Bool[np.ndarray, " n"]
    """Which of the step's maps have one value everywhere."""


class Curves(NamedTuple):
    """The similarities of all images at each step."""

    cases: Shaped[np.ndarray, " n"]
    steps: tuple[Step, ...]
    """Without their layers."""
    measures: Mapping[str, Float64[np.ndarray, "n steps"]]
    constant: Bool[np.ndarray, "n steps"]

    def of(self, measure: str, *orders: str) -> Float64[np.ndarray, "n steps"]:
        """The similarities at the steps of these orders."""
        return self.measures[measure][:, [step.order in orders for step in self.steps]]


def similarities(references: Sequence[SaliencyMap], maps: Sequence[SaliencyMap]) -> Similarities:
    """How alike maps are at the resolution at which they were computed."""
    ours, theirs = flat(references), flat(maps)
    measures = (
        rank_correlations(ours, theirs),
        rank_correlations(np.abs(ours), np.abs(theirs)),
    )
    return Similarities(dict(zip(MEASURES, measures, strict=True)), constant(theirs))


def flat(maps: Sequence[SaliencyMap]) -> Float64[np.ndarray, "n pixels"]:
    """The values of each map in one row."""
    return np.stack([one.values.double().numpy().ravel() for one in maps])


def rows_table(
    cases: Sequence[Case], steps: Sequence[Step], found: Sequence[Similarities]
) -> pa.Table:
    """One table, image by image, step by step."""
    columns = {name: np.stack([of.measures[name] for of in found], 1) for name in MEASURES}
    times = len(cases)
    return pa.table(
        {
            "case": case_column(cases, [len(steps)] * times),
            "order": pa.array([step.order for step in steps] * times).dictionary_encode(),
            "step": pa.array([step.place for step in steps] * times, pa.int32()),
            "stage": pa.array([step.name for step in steps] * times).dictionary_encode(),
            **{name.replace(" ", "_"): values.ravel() for name, values in columns.items()},
            "constant": np.stack([of.constant for of in found], 1).ravel(),
        }
    )


def curves(table: pa.Table) -> Curves:
    """The similarities of the rows."""
    names = table.column("case").to_pylist()
    cases = list(dict.fromkeys(names))
    count = len(names) // max(len(cases), 1)
    first = table.slice(0, count).to_pydict()
    steps = zip(first["order"], first["step"], first["stage"], strict=True)
    columns = (*MEASURES, "constant")
    values = [_column(table, name).reshape(len(cases), count) for name in columns]
    measures = dict(zip(MEASURES, values[:-1], strict=True))
    of_steps = tuple(Step(*step, ()) for step in steps)
    return Curves(np.array(cases, object), of_steps, measures, values[-1])


def _column(table: pa.Table, name: str) -> np.ndarray:
    return table.column(name.replace(" ", "_")).to_numpy()
