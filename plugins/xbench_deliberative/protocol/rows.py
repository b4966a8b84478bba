"""Rows of the part-ambiguity protocol: one per insecurity of an image."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from xbench import Case, case_column

COVERAGES = tuple(percent / 100 for percent in range(1, 91))
"""Shares of the image that regions cover."""

NONE = -1
"""Stands for rank and classes in the row of an image without insecurities."""


class Measured(NamedTuple):
    """What was measured on the insecurities of an image."""

    ambiguous_parts: Int64[Tensor, " q"]
    visible_parts: Int64[Tensor, " q"]
    curves: Mapping[str, Float64[Tensor, "q coverages"]]


class ImageRows(NamedTuple):
    """The insecurities of one image and what was measured on them."""

    case: Case
    pairs: Int64[Tensor, "q 2"]
    strengths: Float64[Tensor, " q"]
    measured: Measured


def joined(images: Sequence[ImageRows], measures: Sequence[str]) -> pa.Table:
    """One table of all images' insecurities."""
    images = [image if len(image.pairs) else _without(image) for image in images]
    ranks = [np.arange(len(i.pairs)) if i.pairs[0, 0] >= 0 else np.array([NONE]) for i in images]
    pairs = _stacked([image.pairs for image in images], (0, 2)).astype(np.int32)
    columns = {
        "case": case_column([i.case for i in images], [len(i.pairs) for i in images]),
        "rank": np.concatenate([*ranks, np.zeros(0)]).astype(np.int32),
        "class_a": pairs[:, 0],
        "class_b": pairs[:, 1],
        "strength": _stacked([i.strengths for i in images]).astype(np.float64),
        "ambiguous_parts": _stacked([i.measured.ambiguous_parts for i in images]).astype(np.int32),
        "visible_parts": _stacked([i.measured.visible_parts for i in images]).astype(np.int32),
    }
    shape = (0, len(COVERAGES))
    curves = {
        name: _lists(_stacked([image.measured.curves[name] for image in images], shape))
        for name in measures
    }
    return pa.table({**columns, **curves})


def curve(table: pa.Table, name: str) -> np.ndarray:
    """A column of curves as an array (rows, coverages), in double precision."""
    values = table.column(name).combine_chunks()
    flat = values.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(table), len(COVERAGES)).astype(np.float64)


def _without(image: ImageRows) -> ImageRows:
    """The row that stands for an image without insecurities: no classes, NaN everywhere."""
    nothing = torch.full((1, len(COVERAGES)), torch.nan, dtype=torch.float64)
    curves = dict.fromkeys(image.measured.curves, nothing)
    measured = Measured(torch.zeros(1), torch.zeros(1), curves)
    strength = torch.tensor([torch.nan], dtype=torch.float64)
    return ImageRows(image.case, torch.full((1, 2), NONE), strength, measured)


def _stacked(parts: Sequence[Tensor], empty: tuple[int, ...] = (0,)) -> np.ndarray:
    return np.concatenate([np.zeros(empty), *(part.cpu().numpy() for part in parts)])


def _lists(values: np.ndarray) -> pa.ListArray:
    """One list of float32 per row."""
    rows, length = values.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * length)
    return pa.ListArray.from_arrays(offsets, pa.array(values.astype(np.float32).ravel()))
