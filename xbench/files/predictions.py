"""Files of predictions: what a classifier that was trained elsewhere takes a split's images for."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from xbench.errors import MismatchError, UnknownNameError
from xbench.files.arrays import read_arrays
from xbench.interfaces.data.dataset import Dataset
from xbench.interfaces.data.predictions import Matching, SplitPredictions

OUTPUTS = ("predicted", "probabilities", "logits")
"""Names of arrays, of which a file has exactly one."""
OTHERS = ("ids", "labels", "class_names")
SUM_TOLERANCE = 1e-3
"""By how much probabilities may miss a sum of 1: they may have been stored in half precision."""
ADVICE = "write such a file with numpy.savez(path, predicted=classes), arrays of numbers alone"


class FileSplit(NamedTuple):
    """The split that a file has to fit."""

    file: str
    """The file, as messages name it."""
    name: str
    names: tuple[str, ...]
    ids: Int64[np.ndarray, " n"]
    labels: Int64[np.ndarray, " n"]


class PredictedClasses(NamedTuple):
    """Predictions with what is known of their probabilities."""

    predicted: Int64[np.ndarray, " n"]
    probabilities: Float64[np.ndarray, "n classes"] | None = None
    logarithms: Float64[np.ndarray, "n classes"] | None = None
    zeros: int = 0
    smallest: float = 0.0

    def at(self, places: Int64[np.ndarray, " n"]) -> "PredictedClasses":
        """In another order."""
        return self._replace(
            predicted=self.predicted[places],
            probabilities=None if self.probabilities is None else self.probabilities[places],
            logarithms=None if self.logarithms is None else self.logarithms[places],
        )


class FileProbabilities(NamedTuple):
    """What a file says of its own classes."""

    probabilities: Float64[np.ndarray, "n own_classes"]
    logarithms: Float64[np.ndarray, "n own_classes"]
    zeros: int
    smallest: float


def read_predictions(path: Path, dataset: Dataset, split: str) -> SplitPredictions:
    """The predictions in a file, checked against the split's images; `UsageError` if they differ.

    `.npy`: one whole number, a class, for each image in the order of the split. `.npz`: one of
    `predicted` (n), `probabilities` or `logits` (n, classes); and, if wanted, `ids` or `labels`
    (n), from which it is known whose predictions they are, and `class_names`, where classes
    have another order than in the dataset. Nothing in a file is ever run.
    """
    arrays = read_arrays(path, "predictions", OUTPUTS, OTHERS, ADVICE)
    ids = np.array(dataset.ids(split), np.int64)
    labels = dataset.labels(ids.tolist()).numpy()
    file_split = FileSplit(f"{path}", split, dataset.class_names(), ids, labels)
    classes = _classes(arrays, file_split)
    in_file = _predicted_classes(arrays, classes, file_split)
    places = _file_places(arrays, file_split)
    predictions = in_file.at(places)
    matching = _checked_matching(arrays, classes, places, file_split)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return SplitPredictions(
        digest,
        matching,
        labels,
        predictions.predicted,
        predictions.probabilities,
        predictions.logarithms,
        predictions.zeros,
        predictions.smallest,
    )


def _classes(
    arrays: Mapping[str, np.ndarray], split: FileSplit
) -> Int64[np.ndarray, " own_classes"]:
    """The dataset's label of each class of the file."""
    if "class_names" not in arrays:
        return np.arange(len(split.names))
    values = arrays["class_names"].ravel().tolist()
    own_names = [
        value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        for value in values
    ]
    places = {name: place for place, name in enumerate(split.names)}
    for name in own_names:
        if name not in places:
            raise UnknownNameError(f"class in {split.file}", name, split.names)
    if len(set(own_names)) < len(own_names):
        repeated = next(name for name in own_names if own_names.count(name) > 1)
        raise MismatchError(f"{split.file}: class_names has {repeated!r} more than once")
    return np.array([places[name] for name in own_names], np.int64)


def _predicted_classes(
    arrays: Mapping[str, np.ndarray],
    classes: Int64[np.ndarray, " own_classes"],
    split: FileSplit,
) -> PredictedClasses:
    """Predictions in the dataset's classes, in the order of the file."""
    present = [name for name in OUTPUTS if name in arrays]
    if len(present) != 1:
        names = " and ".join(map(repr, present)) or f"none of {', '.join(map(repr, OUTPUTS))}"
        raise MismatchError(
            f"{split.file} has {names}; give exactly one, so that they cannot differ"
        )
    (name,) = present
    array = arrays[name]
    _check_length(array, name, 1 if name == "predicted" else 2, split)
    if name == "predicted":
        return PredictedClasses(classes[_class_numbers(array, name, len(classes), split)])
    rows = _probability_rows(array, name, len(classes), split)
    probabilities = np.zeros((len(array), len(split.names)))
    logarithms = np.full(probabilities.shape, np.log(rows.smallest))
    probabilities[:, classes], logarithms[:, classes] = rows[:2]
    return PredictedClasses(classes[array.argmax(1)], probabilities, logarithms, *rows[2:])


def _check_length(array: np.ndarray, name: str, dimensions: int, split: FileSplit) -> None:
    if array.ndim != dimensions:
        shape = " × ".join(map(str, array.shape)) or "a single number"
        raise MismatchError(
            f"{split.file}: {name} is {shape}; it needs {dimensions} dimension"
            f"{'s: images and classes' if dimensions > 1 else ': one class for each image'}"
        )
    if len(array) != len(split.ids):
        raise MismatchError(
            f"{split.file}: {name} is of {len(array)} images, but split {split.name!r} has "
            f"{len(split.ids)}; give one prediction for each, in the order of the split"
        )


def _class_numbers(
    array: np.ndarray, name: str, classes: int, split: FileSplit
) -> Int64[np.ndarray, " n"]:
    """Class numbers from 0 on."""
    if array.dtype.kind not in "iu":
        raise MismatchError(
            f"{split.file}: {name} has numbers of type {array.dtype}; classes are whole numbers "
            "(scores of classes are called probabilities or logits)"
        )
    outside = np.flatnonzero((array < 0) | (array >= classes))
    if len(outside):
        place = int(outside[0])
        hint = "; classes are counted from 0" if array.min() == 1 else ""
        raise MismatchError(
            f"{split.file}: {name}[{place}] is {array[place]}, but there are {classes} classes, "
            f"0 to {classes - 1}{hint}"
        )
    return array.astype(np.int64)


def _probability_rows(
    array: np.ndarray, name: str, classes: int, split: FileSplit
) -> FileProbabilities:
    """Probabilities, made of logits where those are given, and their logarithms.

    A probability of 0 counts as the smallest positive number of the file's type: it may be one
    that was too small for it, and its logarithm would make every mean infinite.
    """
    values = _checked_values(array, name, classes, split)
    smallest = float(np.finfo(array.dtype if array.dtype.kind == "f" else np.float64).tiny)
    if name == "logits":
        values = values - values.max(1, keepdims=True)
        logarithms = values - np.log(np.exp(values).sum(1, keepdims=True))
        return FileProbabilities(np.exp(logarithms), logarithms, 0, smallest)
    zeros = int((values == 0).any(1).sum())
    return FileProbabilities(values, np.log(np.maximum(values, smallest)), zeros, smallest)


def _checked_values(
    array: np.ndarray, name: str, classes: int, split: FileSplit
) -> Float64[np.ndarray, "n own_classes"]:
    """Finite numbers, and of probabilities such as can be."""
    if array.shape[1] != classes:
        raise MismatchError(
            f"{split.file}: {name} has {array.shape[1]} columns, but there are {classes} classes; "
            "name those of the file in class_names"
        )
    if array.dtype.kind not in "iuf":
        raise MismatchError(f"{split.file}: {name} has values of type {array.dtype}, not numbers")
    values = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(values).all(1))
    if len(bad):
        raise MismatchError(
            f"{split.file}: {name}[{bad[0]}] holds NaN or infinite values, the first of {len(bad)} "
            f"such row{'s' if len(bad) > 1 else ''}"
        )
    wrong = np.flatnonzero((values < 0).any(1) | (np.abs(values.sum(1) - 1) > SUM_TOLERANCE))
    if name == "probabilities" and len(wrong):
        raise MismatchError(
            f"{split.file}: probabilities[{wrong[0]}] are no probabilities: they are negative or "
            f"sum to {values[wrong[0]].sum():.4g}; other scores are called logits"
        )
    return values


def _file_places(arrays: Mapping[str, np.ndarray], split: FileSplit) -> Int64[np.ndarray, " n"]:
    """Where the prediction of each of the split's images stands in the file."""
    if "ids" not in arrays:
        return np.arange(len(split.ids))
    file_ids = arrays["ids"]
    _check_length(file_ids, "ids", 1, split)
    if file_ids.dtype.kind not in "iu":
        raise MismatchError(
            f"{split.file}: ids are of type {file_ids.dtype}; they are whole numbers"
        )
    file_order = np.argsort(file_ids, kind="stable")
    split_order = np.argsort(split.ids, kind="stable")
    differences = np.flatnonzero(file_ids[file_order] != split.ids[split_order])
    if len(differences):
        missing = np.setdiff1d(split.ids, file_ids)
        raise MismatchError(
            f"{split.file}: ids are not those of split {split.name!r}: {len(missing)} of its "
            f"images have no prediction, the first is {missing[0]}"
        )
    places = np.empty(len(file_ids), np.int64)
    places[split_order] = file_order
    return places


def _checked_matching(
    arrays: Mapping[str, np.ndarray],
    classes: Int64[np.ndarray, " own_classes"],
    places: Int64[np.ndarray, " n"],
    split: FileSplit,
) -> Matching:
    """How it is known that predictions and images belong together."""
    if "labels" not in arrays:
        return "ids" if "ids" in arrays else "assumed"
    file_labels = arrays["labels"]
    _check_length(file_labels, "labels", 1, split)
    labels = classes[_class_numbers(file_labels, "labels", len(classes), split)]
    differences = np.flatnonzero(labels[places] != split.labels)
    if len(differences):
        first, place = int(differences[0]), int(places[differences[0]])
        raise MismatchError(
            f"{split.file}: {len(differences)} of {len(file_labels)} labels are not those of split "
            f"{split.name!r}; labels[{place}] is {split.names[labels[place]]!r}, but image "
            f"{split.ids[first]} shows {split.names[split.labels[first]]!r}. Predictions have the "
            "order of the split; with an array ids they may have any"
        )
    return "ids" if "ids" in arrays else "labels"
