"""Rows of the explicability protocol: one per image, what a classifier takes it for."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int64

from xbench import Case, Component, Loss, Similarity
from xbench_explicable.protocol.yardstick import Yardstick

WORDS = pa.dictionary(pa.int32(), pa.string())
FIELDS: Mapping[str, pa.DataType] = {
    "case": WORDS,
    "repeat": pa.int32(),
    "set": WORDS,
    "image": pa.int64(),
    "label": pa.int32(),
    "class": WORDS,
    "predicted": pa.int32(),
    "predicted_class": WORDS,
    "probability": pa.float64(),
    "true_probability": pa.float64(),
    "similarity": pa.float64(),
    "chance": pa.float64(),
    "best": pa.float64(),
    "closer": pa.int32(),
    "level": pa.int32(),
    "classes": pa.int32(),
    "distance": pa.float64(),
    "distance_chance": pa.float64(),
    "labels_needed": pa.int64(),
}
LOSS = "loss "
"""Begins the names of columns that hold a loss of each image."""


class Answers(NamedTuple):
    """What a classifier takes the images of one set for."""

    set: str
    repeat: int
    cases: Sequence[Case]
    images: Int64[np.ndarray, " n"]
    labels: Int64[np.ndarray, " n"]
    """Of the yardstick's classes, as are the predicted ones."""
    predicted: Int64[np.ndarray, " n"]
    probability: Float64[np.ndarray, " n"]
    """Of the predicted class; NaN where it is not known."""
    true_probability: Float64[np.ndarray, " n"]
    losses: Mapping[str, Float64[np.ndarray, " n"]]
    labels_needed: int
    """Human judgements that the classifier's own loss takes, beyond the labels."""


def answer_rows(answers: Answers, yardstick: Yardstick) -> pa.Table:
    """One row per image, with how near the predicted class is to the true one."""
    true, predicted, count = answers.labels, answers.predicted, len(answers.cases)
    names = np.array(yardstick.names, dtype=object)
    columns: dict[str, Any] = {
        "case": np.array([str(case) for case in answers.cases], dtype=object),
        "repeat": np.full(count, answers.repeat),
        "set": np.full(count, answers.set, dtype=object),
        "image": answers.images,
        "label": true,
        "class": names[true],
        "predicted": predicted,
        "predicted_class": names[predicted],
        "probability": answers.probability,
        "true_probability": answers.true_probability,
        "similarity": yardstick.matrix[true, predicted],
        "chance": yardstick.chance[true],
        "best": yardstick.best[true],
        "closer": yardstick.order.closer[true, predicted],
        "level": yardstick.order.level[true, predicted],
        "classes": np.full(count, len(yardstick.names)),
        "distance": yardstick.heights[true, predicted],
        "distance_chance": yardstick.height_chance[true],
        "labels_needed": np.full(count, answers.labels_needed),
    }
    arrays = {name: _column(columns[name], kind) for name, kind in FIELDS.items()}
    losses = {f"{LOSS}{label}": pa.array(values) for label, values in answers.losses.items()}
    return pa.table({**arrays, **losses})


def _column(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    if kind == WORDS:
        return pa.array(values, pa.string()).dictionary_encode()
    return pa.array(values, kind)


def loss_labels(losses: Sequence[Loss]) -> tuple[str, ...]:
    """How columns name each loss, such as `weighted(ihl)`; the same name twice is numbered."""
    descriptions = [_description(loss) for loss in losses]
    return tuple(
        name
        if descriptions.count(name) == 1
        else f"{name} #{descriptions[: place + 1].count(name)}"
        for place, name in enumerate(descriptions)
    )


def _description(component: Component) -> str:
    """Its name, with the similarities among its fields and what is not at its default."""
    parts = [
        text
        for field in dataclasses.fields(component)  # type: ignore[arg-type]
        for text in _field_texts(field, getattr(component, field.name))
    ]
    return f"{component.name}({', '.join(parts)})" if parts else component.name


def _field_texts(field: "dataclasses.Field[Any]", value: Any) -> list[str]:
    values = value if isinstance(value, tuple) else (value,)
    similarities = [
        _description(similarity) for similarity in values if isinstance(similarity, Similarity)
    ]
    # what has no default is a place where something lies, and says nothing to a reader
    is_changed = field.default not in (dataclasses.MISSING, value) and isinstance(
        value, (str, int, float)
    )
    return similarities or ([f"{field.name}={value}"] if is_changed else [])
