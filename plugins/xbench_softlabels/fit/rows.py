"""Rows of the human-fit protocol: one per image, how near a network's answer is to people's."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int64, Shaped

from xbench import Case, Rows, case_column, case_places
from xbench_softlabels.fit.people import People
from xbench_softlabels.kernels.ceilings import Labels
from xbench_softlabels.kernels.choices import first_classes, second_classes
from xbench_softlabels.kernels.distances import (
    brier_scores,
    cross_entropies,
    entropies,
    human_distributions,
    label_cross_entropies,
    label_distributions,
)

WORDS = pa.dictionary(pa.int32(), pa.string())
PEOPLE, SIMULATED = "people", "simulated annotators"
"""What tables call those who labelled the images."""
NUMBERS = (
    "confidence",
    "entropy",
    "cross_entropy",
    "label_cross_entropy",
    "brier",
    "label_brier",
    "ideal",
)
"""Columns of numbers."""
WHO, WHAT = "labelled_by", "labelled_as"
"""Columns of lists: who labelled an image, by number, and as which class."""


class Answers(NamedTuple):
    """What a network says of images that it was not trained on, and what people say."""

    cases: Sequence[Case]
    repeat: int
    fold: int
    people: People
    log_probabilities: Float64[np.ndarray, "n classes"]


class FitColumns(NamedTuple):
    """The rows of one entry, image by image in the order of their cases."""

    cases: Shaped[np.ndarray, " n"]
    folds: Int64[np.ndarray, " n"]
    labels: Int64[np.ndarray, " n"]
    counts: Int64[np.ndarray, "n classes"]
    predicted: Int64[np.ndarray, " n"]
    second: Int64[np.ndarray, " n"]
    confidence: Float64[np.ndarray, " n"]
    entropy: Float64[np.ndarray, " n"]
    cross_entropy: Float64[np.ndarray, " n"]
    label_cross_entropy: Float64[np.ndarray, " n"]
    brier: Float64[np.ndarray, " n"]
    label_brier: Float64[np.ndarray, " n"]
    ideal: Float64[np.ndarray, " n"]
    """The ideal observer's cross-entropy to people; NaN where there is none."""
    given: Labels | None
    """The labels one by one, where it is known who gave which."""
    whom: str
    """`people`, or `simulated annotators`."""

    @property
    def right(self) -> Shaped[np.ndarray, " n"]:
        """Which images are given their label."""
        return self.predicted == self.labels

    @property
    def human_entropy(self) -> Float64[np.ndarray, " n"]:
        """Of the labels of each image's annotators: the plug-in estimate."""
        return entropies(human_distributions(self.counts))

    @property
    def agreeing(self) -> Float64[np.ndarray, " n"]:
        """The share of the annotators who chose what the network predicts."""
        return human_distributions(self.counts)[np.arange(len(self.counts)), self.predicted]


def answer_rows(answers: Answers) -> pa.Table:
    """One row per image."""
    count, people = len(answers.cases), answers.people
    whom = SIMULATED if people.simulated else PEOPLE
    return pa.table(
        {
            "case": case_column(answers.cases),
            "repeat": pa.array(np.full(count, answers.repeat), pa.int32()),
            "fold": pa.array(np.full(count, answers.fold), pa.int32()),
            "annotators": pa.array([whom] * count, pa.string()).dictionary_encode(),
            "label": people.labels,
            "counts": pa.array(people.counts.tolist(), pa.list_(pa.int32())),
            **_given(people, count),
            **_fit(people, answers.log_probabilities),
        }
    )


def _given(people: People, count: int) -> dict[str, pa.Array]:
    """For each image who labelled it, and as what; nothing where that is not known."""
    if people.given is None:
        return {}
    order = np.argsort(people.given.places.numpy(), kind="stable")
    places = people.given.places.numpy()[order]
    offsets = pa.array(np.searchsorted(places, np.arange(count + 1)), pa.int32())
    columns = {WHO: people.given.annotators, WHAT: people.given.classes}
    return {
        name: pa.ListArray.from_arrays(offsets, pa.array(of.numpy()[order], pa.int32()))
        for name, of in columns.items()
    }


def _fit(
    people: People, log_probabilities: Float64[np.ndarray, "n classes"]
) -> dict[str, np.ndarray]:
    """How near the network's probabilities are to what people say."""
    probabilities, shares = np.exp(log_probabilities), human_distributions(people.counts)
    hard = label_distributions(people.labels, shares.shape[1])
    return {
        "predicted": first_classes(log_probabilities),
        "second": second_classes(log_probabilities),
        "confidence": probabilities.max(1),
        "entropy": cross_entropies(probabilities, log_probabilities),
        "cross_entropy": cross_entropies(shares, log_probabilities),
        "label_cross_entropy": label_cross_entropies(people.labels, log_probabilities),
        "brier": brier_scores(shares, probabilities),
        "label_brier": brier_scores(hard, probabilities),
        "ideal": _ideal(people, shares),
    }


def _ideal(people: People, shares: Float64[np.ndarray, "n classes"]) -> Float64[np.ndarray, " n"]:
    """The cross-entropy to people of what an ideal observer says."""
    if people.ideal is None:
        return np.full(len(shares), np.nan)
    return cross_entropies(shares, np.log(np.maximum(people.ideal, np.finfo(np.float64).tiny)))


def fit_columns(rows: Rows) -> FitColumns:
    """The columns of rows; images of several repeats stand there as often."""
    columns = {name: rows.column(name).to_numpy() for name in (*NUMBERS, "fold", "label")}
    whole = {name: rows.column(name).to_numpy() for name in ("predicted", "second")}
    counts = np.array(rows.column("counts").to_pylist(), np.int64).reshape(len(rows), -1)
    names = rows.column("annotators").unique().to_pylist()
    return FitColumns(
        cases=case_places(rows).rows,
        folds=columns.pop("fold"),
        labels=columns.pop("label"),
        counts=counts,
        whom=names[0] if names else PEOPLE,
        given=_labels_of(rows, counts.shape),
        **whole,
        **columns,
    )


def _labels_of(rows: Rows, shape: tuple[int, int]) -> Labels | None:
    """The labels one by one, where rows have them."""
    if WHO not in rows.column_names:
        return None
    lists = [rows.column(name).combine_chunks() for name in (WHO, WHAT)]
    images = np.repeat(np.arange(len(rows)), lists[0].value_lengths().to_numpy())
    who, what = (of.flatten().to_numpy().astype(np.int64) for of in lists)
    return Labels(shape, images, who, what)
