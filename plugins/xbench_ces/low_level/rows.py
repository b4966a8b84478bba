"""Rows of the low-level protocol: one per image, step and concept."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float64

from xbench import Case, case_places
from xbench_ces.scores.concept_scores import ConceptScores

WORDS = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    {
        "case": WORDS,
        "class": WORDS,
        "matching": WORDS,
        "label": pa.int32(),
        "step": pa.int32(),
        "blend": pa.float64(),
        "probability": pa.float64(),
        "predicted": pa.int32(),
        "concept": WORDS,
        "raw": pa.float64(),
        "logarithmic": pa.float64(),
    }
)


@dataclass(frozen=True)
class Target:
    """A class that loses what the perturbation takes away, and the concept of what it loses."""

    class_name: str
    concept: str
    alike: tuple[str, ...] = ()
    """Other concepts that mean much the same: they are no rivals of `concept`."""


class ImageStep(NamedTuple):
    """One image at one step."""

    case: Case
    target: Target
    step: int
    blend: float
    scores: ConceptScores


class Course(NamedTuple):
    """One image over all steps: its probability and the scores of all concepts."""

    case: str
    class_name: str
    matching: str
    correct: bool
    """Whether the image as it is is classified rightly."""
    blends: Float64[np.ndarray, " steps"]
    probability: Float64[np.ndarray, " steps"]
    concepts: tuple[str, ...]
    raw: Float64[np.ndarray, "steps concepts"]
    logarithmic: Float64[np.ndarray, "steps concepts"]


def rows_table(image_steps: Sequence[ImageStep]) -> pa.Table:
    """One table of all images and steps, image by image, step by step."""
    ordered = sorted(image_steps, key=lambda step: (step.case.id, step.step))
    counts = [len(step.scores.concepts) for step in ordered]
    step_columns: dict[str, list[Any]] = {
        "case": [str(step.case) for step in ordered],
        "class": [step.target.class_name for step in ordered],
        "matching": [step.target.concept for step in ordered],
        "label": [step.scores.label for step in ordered],
        "step": [step.step for step in ordered],
        "blend": [step.blend for step in ordered],
        "probability": [step.scores.probability for step in ordered],
        "predicted": [step.scores.predicted for step in ordered],
    }
    columns = {name: np.repeat(np.array(values), counts) for name, values in step_columns.items()}
    columns["concept"] = np.array([c.name for step in ordered for c in step.scores.concepts])
    for name in ("raw", "logarithmic"):
        parts = [getattr(step.scores, name).cpu().numpy() for step in ordered]
        columns[name] = np.concatenate([np.zeros(0), *parts])
    return pa.table([_column(columns[field.name], field.type) for field in SCHEMA], schema=SCHEMA)


def _column(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    if kind == WORDS:
        return pa.array(values.astype(object), pa.string()).dictionary_encode()
    return pa.array(values, kind)


def courses(table: pa.Table) -> Iterator[Course]:
    """The images of a table that `joined` made, in its order."""
    columns = {name: _values(table, name) for name in SCHEMA.names}
    changes = np.flatnonzero(np.diff(case_places(table).places)) + 1
    ends = [0, *changes, len(table)] if len(table) else []
    for start, end in itertools.pairwise(ends):
        yield _course({name: values[start:end] for name, values in columns.items()})


def _values(table: pa.Table, name: str) -> np.ndarray:
    column = table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    return np.asarray(column.to_numpy())


def _course(columns: dict[str, np.ndarray]) -> Course:
    steps = len(np.unique(columns["step"]))
    grids = {name: values.reshape(steps, -1) for name, values in columns.items()}
    return Course(
        case=str(columns["case"][0]),
        class_name=str(columns["class"][0]),
        matching=str(columns["matching"][0]),
        correct=bool(columns["predicted"][0] == columns["label"][0]),
        blends=grids["blend"][:, 0],
        probability=grids["probability"][:, 0],
        concepts=tuple(grids["concept"][0].tolist()),
        raw=grids["raw"],
        logarithmic=grids["logarithmic"],
    )
