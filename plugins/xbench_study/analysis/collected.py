"""What answers are collected for: files that similarities and datasets read."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from xbench import ParameterError
from xbench_study.analysis.answers import Answers
from xbench_study.kernels.class_degrees import ClassDegrees, class_degrees
from xbench_study.kernels.label_counts import label_counts
from xbench_study.material.item import Secret

TRUE = "true"
"""The fact of an item's secret that says its true class, by index."""
EXPECTED = "expected"
"""The fact of a check: the degree that everybody gives who reads the question."""


def pair_ratings(
    answers: Answers, secrets: Mapping[str, Secret]
) -> Iterator[tuple[str, int, int, int | None, int | None]]:
    """Person, true class, predicted class, degree (None: cannot tell) and expected degree.

    A class against itself is left out: it is the highest degree, and not asked.
    """
    for person, item, ratings in zip(
        answers.participants, answers.items, answers.ratings, strict=True
    ):
        secret = secrets[item]
        true, expected = int(secret.facts[TRUE]), secret.facts.get(EXPECTED)
        for option, degree in ratings.items():
            if secret.classes[option] != true:
                bait = None if expected is None else int(expected)
                yield person, true, secret.classes[option], degree, bait


def write_ratings(
    path: Path, answers: Answers, secrets: Mapping[str, Secret], names: Sequence[str]
) -> int:
    """Write what people say of pairs of classes as similarity `chl` reads it; how many ratings.

    Columns are person, true, predicted, rating and expected; "cannot tell" has no line. A
    person's answers about one pair become their mean, rounded: they are asked once by design.
    """
    lines: dict[tuple[str, int, int, int | None], list[int]] = {}
    for person, true, predicted, degree, expected in pair_ratings(answers, secrets):
        if degree is not None:
            lines.setdefault((person, true, predicted, expected), []).append(degree)
    rows = (
        (person, names[true], names[predicted], round(sum(of) / len(of)), _cell(expected))
        for (person, true, predicted, expected), of in lines.items()
    )
    _write(path, ("person", "true", "predicted", "rating", "expected"), rows)
    return len(lines)


def _cell(expected: int | None) -> str:
    return "" if expected is None else str(expected)


def degrees_of(
    answers: Answers, secrets: Mapping[str, Secret], *, classes: int, highest: int
) -> ClassDegrees:
    """The mean degree of each pair of classes, checks left out; rows are true classes."""
    rows = [
        (true, predicted, np.nan if degree is None else degree)
        for _, true, predicted, degree, expected in pair_ratings(answers, secrets)
        if expected is None
    ]
    columns = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    true, predicted = columns[:2].astype(np.int64)
    return class_degrees(true, predicted, columns[2], classes=classes, highest=highest)


def chosen_labels(answers: Answers, secrets: Mapping[str, Secret]) -> Int64[np.ndarray, " n"]:
    """The class that each answer takes its image for, by index; −1 where it says none."""
    return np.array(
        [
            secrets[item].classes[chosen[0]] if len(chosen) == 1 else -1
            for item, chosen in zip(answers.items, answers.chosen, strict=True)
        ],
        dtype=np.int64,
    )


def write_labels(
    path: Path, answers: Answers, secrets: Mapping[str, Secret], names: Sequence[str]
) -> int:
    """Write who took which image for what as dataset `label-table` reads it; how many answers.

    Columns are image (an id), annotator and label (a class's name).
    """
    labels = chosen_labels(answers, secrets)
    rows = [
        (image, person, names[label])
        for image, person, label in zip(
            answers.images.tolist(), answers.participants, labels.tolist(), strict=True
        )
        if label >= 0
    ]
    _write(path, ("image", "annotator", "label"), rows)
    return len(rows)


def write_counts(
    path: Path, answers: Answers, secrets: Mapping[str, Secret], ids: Sequence[int], classes: int
) -> Int64[np.ndarray, "images classes"]:
    """Write an .npy file of counts as `cifar10h` reads it: images in the order of `ids`.

    `ParameterError` where an image was labelled by nobody.
    """
    counts = label_counts(answers.images, chosen_labels(answers, secrets), ids, classes)
    empty = np.flatnonzero(counts.sum(1) == 0)
    if len(empty):
        raise ParameterError(
            f"nobody labelled image {ids[empty[0]]}, nor {len(empty) - 1} others of {len(ids)}; "
            "ids of the images that were shown make a table without gaps"
        )
    with path.open("wb") as file:
        np.save(file, counts, allow_pickle=False)
    return counts


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
