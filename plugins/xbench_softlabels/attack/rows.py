"""Rows of attacks: one per image, with its losses under each attack."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from jaxtyping import Float64
from torch import Tensor

from xbench import Case, case_column
from xbench_softlabels.attack.outcome import Outcome, Strength
from xbench_softlabels.kernels.attacks import Standing

CLEAN, SIGN, CLIMB = "clean", "FGSM", "PGD"
LOSS, RIGHT = "loss", "right"
SATURATED, FLAT = "saturated", "flat"
COURSE = "course"


def column(attack: str, radius: float, what: str) -> str:
    """The name of a column of an attack at a radius."""
    return f"{attack} {radius:g} {what}"


def rows_table(
    cases: Sequence[Case], outcomes: Sequence[tuple[Outcome, int]], strength: Strength
) -> pa.Table:
    """One row per image; of each outcome as many images count as stand beside it."""
    parts = [
        {name: values[:count] for name, values in _columns(outcome, strength)}
        for outcome, count in outcomes
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    arrays = {name: _array(values) for name, values in columns.items()}
    return pa.table({"case": case_column(cases), **arrays})


def by_case(table: pa.Table, cases: Sequence[Case]) -> pa.Table:
    """The rows in the order of the cases; those of a case one after the other, as they were."""
    turns = {str(case): turn for turn, case in enumerate(cases)}
    order = np.argsort([turns[name] for name in table.column("case").to_pylist()], kind="stable")
    return table.take(order)


def _columns(outcome: Outcome, strength: Strength) -> Iterator[tuple[str, np.ndarray]]:
    clean = outcome.clean
    yield from _standing(CLEAN, clean.standing)
    yield SATURATED, _numbers(clean.saturated)
    yield FLAT, _numbers(clean.flat)
    for radius, under in zip(strength.radii, outcome.signs, strict=True):
        yield from _standing(f"{SIGN} {radius:g}", under)
    for place, radius in enumerate(strength.climbed):
        yield from _standing(f"{CLIMB} {radius:g}", outcome.climbs[place])
        yield column(CLIMB, radius, COURSE), _numbers(outcome.courses[place])


def _standing(name: str, standing: Standing) -> Iterator[tuple[str, np.ndarray]]:
    yield f"{name} {LOSS}", _numbers(standing.losses)
    yield f"{name} {RIGHT}", _numbers(standing.right)


def _numbers(values: Tensor) -> np.ndarray:
    return values.cpu().numpy()


def _array(values: np.ndarray) -> pa.Array:
    """A column of numbers, or of lists of them."""
    if values.ndim == 1:
        return pa.array(values)
    offsets = pa.array(np.arange(len(values) + 1, dtype=np.int32) * values.shape[1])
    return pa.ListArray.from_arrays(offsets, pa.array(values.astype(np.float32).ravel()))


def numbers(table: pa.Table, name: str) -> Float64[np.ndarray, " images"]:
    """A column of numbers, or of what is true, in double precision."""
    return table.column(name).to_numpy().astype(np.float64)


def courses(table: pa.Table, radius: float) -> Float64[np.ndarray, "images iterates"]:
    """The losses along PGD, image by image."""
    values = table.column(column(CLIMB, radius, COURSE)).combine_chunks()
    flat = values.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(table), -1).astype(np.float64)
