"""What the annotators of a benchmark's images reach themselves."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from xbench import derived_seed
from xbench_softlabels.fit.rows import FitColumns
from xbench_softlabels.kernels.ceilings import (
    Ceiling,
    Halves,
    Labels,
    Votes,
    drawn_annotators,
    drawn_votes,
    half_against_half,
    people_predict_people,
)

DRAWS = 5
"""How often annotators are parted at random."""
SMOOTHING = 1.0
"""Annotators that are added to those who predict, spread evenly over the classes."""
SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
WHOLE, SINGLE = "whole annotators", "single labels"
"""What is parted at random."""


class Ceilings(NamedTuple):
    """What the annotators of images reach themselves."""

    parted: str
    """`whole annotators`, where it is known who gave which label, or `single labels`."""
    predicting: tuple[Ceiling, ...]
    """Of 1, 2, 4, … annotators, as far as all images have more."""
    halves: Halves


def people_ceilings(columns: FitColumns) -> Ceilings:
    """How well some annotators predict the others, and what halves of them say of each other."""
    drawn = _drawn(columns, "people")
    fewest = drawn[0].annotators().min(initial=1 << 30) if len(columns.cases) else 0
    sizes = [size for size in SIZES if size < fewest]
    predicting = people_predict_people(drawn, sizes, SMOOTHING)
    halves = half_against_half(_drawn(columns, "halves"))
    return Ceilings(SINGLE if columns.given is None else WHOLE, predicting, halves)


def people_key(columns: FitColumns) -> tuple[bytes, ...]:
    """The same for entries whose images have the same labels of the same annotators."""
    labels = _labels_once(columns)
    given = () if labels is None else (labels.images, labels.annotators, labels.classes)
    return tuple(of.tobytes() for of in (_counts_once(columns), *given))


def _drawn(columns: FitColumns, name: str) -> list[Votes]:
    """The annotators in random orders: the same for all entries, which meet the same people."""
    source = np.random.default_rng(derived_seed("human fit", name))
    labels = _labels_once(columns)
    if labels is None:
        counts = _counts_once(columns)
        return [drawn_votes(counts, source) for _ in range(DRAWS)]
    return [drawn_annotators(labels, source) for _ in range(DRAWS)]


def _counts_once(columns: FitColumns) -> Int64[np.ndarray, "images classes"]:
    """The annotators' labels of each image, which rows of several repeats have several times."""
    return columns.counts[_first_rows(columns)]


def _labels_once(columns: FitColumns) -> Labels | None:
    """The same, one by one, where it is known who gave which."""
    if columns.given is None:
        return None
    first, given = _first_rows(columns), columns.given
    places = np.full(len(columns.cases), -1)
    places[first] = np.arange(len(first))
    images = places[given.images]
    once = images >= 0
    shape = len(first), given.shape[1]
    return Labels(shape, images[once], given.annotators[once], given.classes[once])


def _first_rows(columns: FitColumns) -> Int64[np.ndarray, " images"]:
    return np.unique(columns.cases.astype(str), return_index=True)[1]
