"""Files of predictions: what a classifier that was trained elsewhere takes a split's images for."""

import hashlib
import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from xbench import Dataset, MismatchError, UnknownNameError, UsageError

GIVEN = ("predicted", "probabilities", "logits")
"""Names of arrays, of which a file has exactly one."""
KNOWN = (*GIVEN, "ids", "labels", "class_names")
SUM_TOLERANCE = 1e-3
"""By how much probabilities may miss a sum of 1: they may have been stored in half precision."""
LARGEST = 8 * 2**30
"""Bytes of an unpacked array; predictions of a million images and a thousand classes fit."""
DAMAGED = (
    OSError,
    ValueError,
    EOFError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""What NumPy and the libraries below it raise for files that are damaged or encrypted."""
Order = Literal["ids", "labels", "assumed"]
"""How it is known which image a prediction is of."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions for all images of a split, in the order of its ids."""

    digest: str
    """SHA-256 of the file."""
    order: Order
    labels: Int64[np.ndarray, " n"]
    """Of the dataset, not of the file."""
    predicted: Int64[np.ndarray, " n"]
    probability: Float64[np.ndarray, " n"]
    """Of the predicted class; NaN where the file has predictions alone."""
    true_probability: Float64[np.ndarray, " n"]


class Expected(NamedTuple):
    """What a file has to fit."""

    place: str
    """The file, as messages name it."""
    split: str
    names: tuple[str, ...]
    ids: Int64[np.ndarray, " n"]
    labels: Int64[np.ndarray, " n"]


class Scores(NamedTuple):
    """Predictions with what is known of their probabilities."""

    predicted: Int64[np.ndarray, " n"]
    probabilities: Float64[np.ndarray, "n classes"] | None


def read_predictions(path: Path, dataset: Dataset, split: str) -> Predictions:
    """The predictions in a file, checked against the split's images; `UsageError` if they differ.

    `.npy`: one whole number, a class, for each image in the order of the split. `.npz`: one of
    `predicted` (n), `probabilities` or `logits` (n, classes); and, if wanted, `ids` or `labels`
    (n), from which it is known whose predictions they are, and `class_names`, where classes
    have another order than in the dataset. Nothing in a file is ever run.
    """
    arrays = _arrays(path)
    ids = np.array(dataset.ids(split), np.int64)
    labels = dataset.labels(ids.tolist()).numpy()
    expected = Expected(f"{path}", split, dataset.class_names(), ids, labels)
    classes = _classes(arrays, expected)
    scores = _scores(arrays, classes, expected)
    turn = _turn(arrays, expected)
    scores = Scores(
        scores.predicted[turn],
        None if scores.probabilities is None else scores.probabilities[turn],
    )
    order = _checked_labels(arrays, classes, turn, expected)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Predictions(digest, order, labels, scores.predicted, *_probabilities(scores, labels))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Arrays of the file by name; what a `.npy` file holds is `predicted`."""
    if path.suffix not in (".npy", ".npz"):
        raise UsageError(f"{path}: predictions are read from .npz and .npy files")
    try:
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return {"predicted": found}
            _check_sizes(path, found.zip)
            known = {name: found[name] for name in KNOWN if name in found.files}
            if not all(isinstance(array, np.ndarray) for array in known.values()):
                raise ValueError("a member is no array")
            return known or _no_arrays(path, found.files)
    except DAMAGED as error:
        raise UsageError(
            f"{path} cannot be read as predictions ({_reason(error)}); write such a file with "
            "numpy.savez(path, predicted=classes), arrays of numbers alone"
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return first.partition(". If you trust")[0]  # NumPy's advice is to unpickle


def _check_sizes(path: Path, archive: zipfile.ZipFile) -> None:
    for info in archive.infolist():
        if info.file_size > LARGEST:
            raise UsageError(
                f"{path}: {info.filename} unpacks to {info.file_size / 2**30:.0f} GiB; at most "
                f"{LARGEST // 2**30} GiB are read"
            )


def _no_arrays(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    raise UsageError(
        f"{path} has no array {', '.join(map(repr, GIVEN[:-1]))} or {GIVEN[-1]!r}, but "
        f"{', '.join(map(repr, names)) or 'none at all'}"
    )


def _classes(arrays: Mapping[str, np.ndarray], to: Expected) -> Int64[np.ndarray, " own_classes"]:
    """The dataset's label of each class of the file."""
    if "class_names" not in arrays:
        return np.arange(len(to.names))
    given = arrays["class_names"].ravel().tolist()
    own = [of.decode(errors="replace") if isinstance(of, bytes) else str(of) for of in given]
    places = {name: place for place, name in enumerate(to.names)}
    for name in own:
        if name not in places:
            raise UnknownNameError(f"class in {to.place}", name, to.names)
    if len(set(own)) < len(own):
        twice = next(name for name in own if own.count(name) > 1)
        raise MismatchError(f"{to.place}: class_names has {twice!r} more than once")
    return np.array([places[name] for name in own], np.int64)


def _scores(
    arrays: Mapping[str, np.ndarray], classes: Int64[np.ndarray, " own_classes"], to: Expected
) -> Scores:
    """Predictions in the dataset's classes, in the order of the file."""
    given = [name for name in GIVEN if name in arrays]
    if len(given) != 1:
        told = " and ".join(map(repr, given)) or f"none of {', '.join(map(repr, GIVEN))}"
        raise MismatchError(f"{to.place} has {told}; give exactly one, so that they cannot differ")
    array = arrays[given[0]]
    _check_length(array, given[0], 1 if given[0] == "predicted" else 2, to)
    if given[0] == "predicted":
        return Scores(classes[_whole(array, "predicted", len(classes), to)], None)
    probabilities = np.zeros((len(array), len(to.names)))
    probabilities[:, classes] = _probable(array, given[0], len(classes), to)
    return Scores(classes[array.argmax(1)], probabilities)


def _check_length(array: np.ndarray, name: str, dimensions: int, to: Expected) -> None:
    if array.ndim != dimensions:
        shape = " × ".join(map(str, array.shape)) or "a single number"
        raise MismatchError(
            f"{to.place}: {name} is {shape}; it needs {dimensions} dimension"
            f"{'s: images and classes' if dimensions > 1 else ': one class for each image'}"
        )
    if len(array) != len(to.ids):
        raise MismatchError(
            f"{to.place}: {name} is of {len(array)} images, but split {to.split!r} has "
            f"{len(to.ids)}; give one prediction for each, in the order of the split"
        )


def _whole(array: np.ndarray, name: str, classes: int, to: Expected) -> Int64[np.ndarray, " n"]:
    """Class numbers from 0 on."""
    if array.dtype.kind not in "iu":
        raise MismatchError(
            f"{to.place}: {name} has numbers of type {array.dtype}; classes are whole numbers "
            "(scores of classes are called probabilities or logits)"
        )
    outside = np.flatnonzero((array < 0) | (array >= classes))
    if len(outside):
        at = int(outside[0])
        begins = "; classes are counted from 0" if array.min() == 1 else ""
        raise MismatchError(
            f"{to.place}: {name}[{at}] is {array[at]}, but there are {classes} classes, "
            f"0 to {classes - 1}{begins}"
        )
    return array.astype(np.int64)


def _probable(
    array: np.ndarray, name: str, classes: int, to: Expected
) -> Float64[np.ndarray, "n own_classes"]:
    """Probabilities, made of logits where those are given."""
    if array.shape[1] != classes:
        raise MismatchError(
            f"{to.place}: {name} has {array.shape[1]} columns, but there are {classes} classes; "
            "name those of the file in class_names"
        )
    if array.dtype.kind not in "iuf":
        raise MismatchError(f"{to.place}: {name} has values of type {array.dtype}, not numbers")
    values = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(values).all(1))
    if len(bad):
        raise MismatchError(
            f"{to.place}: {name}[{bad[0]}] holds NaN or infinite values, the first of {len(bad)} "
            f"such row{'s' if len(bad) > 1 else ''}"
        )
    if name == "logits":
        values = np.exp(values - values.max(1, keepdims=True))
        return values / values.sum(1, keepdims=True)
    wrong = np.flatnonzero((values < 0).any(1) | (np.abs(values.sum(1) - 1) > SUM_TOLERANCE))
    if len(wrong):
        raise MismatchError(
            f"{to.place}: probabilities[{wrong[0]}] are no probabilities: they are negative or sum "
            f"to {values[wrong[0]].sum():.4g}; other scores are called logits"
        )
    return values


def _turn(arrays: Mapping[str, np.ndarray], to: Expected) -> Int64[np.ndarray, " n"]:
    """Where the prediction of each of the split's images stands in the file."""
    if "ids" not in arrays:
        return np.arange(len(to.ids))
    own = arrays["ids"]
    _check_length(own, "ids", 1, to)
    if own.dtype.kind not in "iu":
        raise MismatchError(f"{to.place}: ids are of type {own.dtype}; they are whole numbers")
    order, wanted = np.argsort(own, kind="stable"), np.argsort(to.ids, kind="stable")
    differ = np.flatnonzero(own[order] != to.ids[wanted])
    if len(differ):
        missing = np.setdiff1d(to.ids, own)
        raise MismatchError(
            f"{to.place}: ids are not those of split {to.split!r}: {len(missing)} of its images "
            f"have no prediction, the first is {missing[0]}"
        )
    turn = np.empty(len(own), np.int64)
    turn[wanted] = order
    return turn


def _checked_labels(
    arrays: Mapping[str, np.ndarray],
    classes: Int64[np.ndarray, " own_classes"],
    turn: Int64[np.ndarray, " n"],
    to: Expected,
) -> Order:
    """How it is known that predictions and images belong together."""
    if "labels" not in arrays:
        return "ids" if "ids" in arrays else "assumed"
    own = arrays["labels"]
    _check_length(own, "labels", 1, to)
    given = classes[_whole(own, "labels", len(classes), to)]
    differ = np.flatnonzero(given[turn] != to.labels)
    if len(differ):
        at = int(differ[0])
        raise MismatchError(
            f"{to.place}: {len(differ)} of {len(own)} labels are not those of split "
            f"{to.split!r}; labels[{turn[at]}] is {to.names[given[turn[at]]]!r}, but image "
            f"{to.ids[at]} shows {to.names[to.labels[at]]!r}. Predictions have the order of the "
            "split; with an array ids they may have any"
        )
    return "ids" if "ids" in arrays else "labels"


def _probabilities(
    scores: Scores, labels: Int64[np.ndarray, " n"]
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Of the predicted and of the true class; NaN where they are not known."""
    if scores.probabilities is None:
        return np.full(len(labels), np.nan), np.full(len(labels), np.nan)
    places = np.arange(len(labels))
    return scores.probabilities[places, scores.predicted], scores.probabilities[places, labels]
