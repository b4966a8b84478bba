"""Rows of pixel flipping: one per image, with its curves."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float64

from xbench import Case, case_column

KINDS = ("deletion", "insertion")
SCALES = ("probability", "logit")
NONE = -1
"""Stands for the class that none is contrasted with."""


class ImageCurves(NamedTuple):
    """What is explained of an image, and the values of its curves, NaN where it has no map."""

    case: Case
    label: int
    against: int
    own: Float64[np.ndarray, "kinds points scales"]
    random: Float64[np.ndarray, "kinds points scales"]


def rows_table(images: Sequence[ImageCurves], points: int) -> pa.Table:
    """One row per image; curves are lists with a number for each point."""
    columns = {
        "case": case_column([image.case for image in images], [1] * len(images)),
        "label": pa.array([image.label for image in images], pa.int32()),
        "against": pa.array([image.against for image in images], pa.int32()),
    }
    shape = (0, len(KINDS), points, len(SCALES))
    own = np.concatenate([np.zeros(shape), *(image.own[None] for image in images)])
    random = np.concatenate([np.zeros(shape), *(image.random[None] for image in images)])
    return pa.table({**columns, **_lists("", own), **_lists("random ", random)})


def _lists(prefix: str, curves: Float64[np.ndarray, "n kinds points scales"]) -> Mapping:
    """A column of lists for each kind and scale."""
    points = curves.shape[2]
    offsets = pa.array(np.arange(len(curves) + 1, dtype=np.int32) * points)
    return {
        column(kind, scale, prefix): pa.ListArray.from_arrays(
            offsets, pa.array(curves[:, place, :, number].astype(np.float32).ravel())
        )
        for place, kind in enumerate(KINDS)
        for number, scale in enumerate(SCALES)
    }


def column(kind: str, scale: str, prefix: str = "") -> str:
    """The name of a column of curves."""
    return f"{prefix}{kind} {scale}"


def curves(table: pa.Table, name: str) -> Float64[np.ndarray, "rows points"]:
    """A column of curves, in double precision."""
    values = table.column(name).combine_chunks()
    if not len(table):
        return np.zeros((0, 1))
    flat = values.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(table), -1).astype(np.float64)
