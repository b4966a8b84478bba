"""Rows of the spurious-recovery protocol: one per image and concept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa

from xbench import Case
from xbench_ces.scores.concept_scores import ConceptScores

Which = Literal["out", "in"]
"""Images of the confounded class without its context, or with it."""

WORDS = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    {
        "case": WORDS,
        "place": pa.int32(),
        "repeat": pa.int32(),
        "scenario": WORDS,
        "strength": pa.float64(),
        "set": WORDS,
        "image": pa.int64(),
        "label": pa.int32(),
        "predicted": pa.int32(),
        "probability": pa.float64(),
        "concept": WORDS,
        "raw": pa.float64(),
        "logarithmic": pa.float64(),
        "bank": pa.int32(),
    }
)


@dataclass(frozen=True)
class Scenario:
    """A class that is seen in training with one context alone, and the concept of the context."""

    class_name: str
    context: str
    concept: str = ""
    """Name of the context's concept; "" where it is that of the context."""
    synonyms: tuple[str, ...] = ()
    """Other concepts that mean much the same."""

    @property
    def label(self) -> str:
        """How tables name it."""
        return f"{self.class_name}({self.context})"

    @property
    def true_concept(self) -> str:
        """What a good explanation names."""
        return self.concept or self.context


class ImageRows(NamedTuple):
    """One image of a scenario: what the network says, and its concept scores if explained."""

    case: Case
    place: int
    """In the list of its scenario's images: batches are drawn by places."""
    repeat: int
    scenario: str
    strength: float
    which: Which
    image: int
    label: int
    predicted: int
    probability: float
    """Of the image's own class."""
    scores: ConceptScores | None = None


def rows_table(images: Sequence[ImageRows]) -> pa.Table:
    """One table of all images; one row without a concept for an image that is not explained."""
    counts = np.array([_height(image) for image in images], np.int64)
    image_columns = {
        field: np.repeat(np.array([getattr(image, _attribute(field)) for image in images]), counts)
        for field in SCHEMA.names
        if field != "case" and _attribute(field) in ImageRows._fields
    }
    score_columns = {
        "concept": [name for image in images for name in _concepts(image)],
        "raw": _numbers(images, "raw"),
        "logarithmic": _numbers(images, "logarithmic"),
        "bank": np.repeat(np.array([_bank_size(image) for image in images], np.int32), counts),
    }
    columns: dict[str, Any] = {**image_columns, **score_columns}
    columns["case"] = np.repeat(np.array([str(image.case) for image in images], object), counts)
    return pa.table([_column(columns[field.name], field.type) for field in SCHEMA], schema=SCHEMA)


def _attribute(field: str) -> str:
    return "which" if field == "set" else field


def _column(values: np.ndarray | list[str | None], kind: pa.DataType) -> pa.Array:
    if kind == WORDS:
        return pa.array(list(values), pa.string()).dictionary_encode()
    return pa.array(values, kind)


def _height(image: ImageRows) -> int:
    return max(1, _bank_size(image))


def _bank_size(image: ImageRows) -> int:
    return 0 if image.scores is None else len(image.scores.concepts)


def _concepts(image: ImageRows) -> list[str | None]:
    names = [] if image.scores is None else [concept.name for concept in image.scores.concepts]
    return [*names] or [None]


def _numbers(images: Sequence[ImageRows], name: str) -> np.ndarray:
    """A column of the scores; NaN where an image has none."""
    parts = [
        getattr(image.scores, name).cpu().numpy() if _bank_size(image) else np.array([np.nan])
        for image in images
    ]
    return np.concatenate([*parts, np.zeros(0)]).astype(np.float64)
