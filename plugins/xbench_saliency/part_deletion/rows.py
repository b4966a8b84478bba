"""Rows of part deletion: one per image, with a list of what is known of its parts."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float64

from xbench import Case, case_column

NUMBERS = pa.list_(pa.float64())
SCHEMA = pa.schema(
    {
        "case": pa.dictionary(pa.int32(), pa.string()),
        "label": pa.int32(),
        "against": pa.int32(),
        "parts": pa.list_(pa.string()),
        "pixels": NUMBERS,
        "drops": NUMBERS,
        "log_drops": NUMBERS,
        "evidence": NUMBERS,
        "sums": NUMBERS,
        "wide_sums": NUMBERS,
        "too_small": pa.int32(),
        "background_share": pa.float64(),
        "preserved": NUMBERS,
        "deleted": NUMBERS,
        "sensitivity": pa.float64(),
    }
)
NONE = -1
"""Stands for no class that the explained one is contrasted with."""


class ImageRow(NamedTuple):
    """One image: what its map says of its parts, and what they do."""

    case: Case | str
    label: int
    against: int
    parts: Sequence[str]
    """Names of the parts that were changed one by one; what follows has a number for each."""
    pixels: Sequence[float]
    drops: Sequence[float]
    """By how much what is explained falls without the part."""
    log_drops: Sequence[float]
    """By how much the log-probability of the class does."""
    evidence: Sequence[float]
    """By how much the ideal observer's does; empty where there is none."""
    sums: Sequence[float]
    """Of the map over the part's mask."""
    wide_sums: Sequence[float]
    """Of the map over the part's mask and its surroundings."""
    too_small: int
    """How many parts show, but with too few pixels to be changed."""
    background_share: float
    preserved: Sequence[float]
    """For each threshold whether the prediction stays with the important parts alone."""
    deleted: Sequence[float]
    """For each threshold whether it changes without them."""
    sensitivity: float

    def column(self, name: str) -> Float64[np.ndarray, " n"]:
        """A list as an array in double precision."""
        return np.array(getattr(self, name), np.float64)

    def means(self) -> Float64[np.ndarray, " n"]:
        """What the map says of each part: its mean over the part."""
        return self.column("sums") / self.column("pixels")


def rows_table(images: Sequence[ImageRow]) -> pa.Table:
    """One table of all images, in their order."""
    columns: dict[str, Any] = {
        name: pa.array([getattr(image, name) for image in images], SCHEMA.field(name).type)
        for name in SCHEMA.names[1:]
    }
    cases = [image.case for image in images if isinstance(image.case, Case)]
    return pa.table({"case": case_column(cases), **columns}, SCHEMA)


def image_rows(table: pa.Table) -> list[ImageRow]:
    """The images of a table, in its order."""
    return [ImageRow(**row) for row in table.select(SCHEMA.names).to_pylist()]
