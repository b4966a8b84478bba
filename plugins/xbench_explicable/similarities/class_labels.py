"""CHL: similarities from what people say of whole classes."""

import functools
from collections import Counter, defaultdict
from dataclasses import dataclass
from math import isnan
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from xbench import (
    Dataset,
    MismatchError,
    ParameterError,
    Similarity,
    checked_similarity,
    content_hash,
    location,
)
from xbench_explicable.kernels.agreement import ordinal_alpha
from xbench_explicable.similarities.matching import quoted
from xbench_explicable.similarities.ratings_file import Rating, read_ratings


class Panel(NamedTuple):
    """The ratings that count, and whose do not."""

    ratings: tuple[Rating, ...]
    """Ratings of class pairs by people who saw through the baits."""
    people: tuple[str, ...]
    dropped: dict[str, str]
    """Why, by person."""


@dataclass(frozen=True)
class ClassLevelLabels(Similarity):
    """Mean ratings, from 0 to `highest`, of how reasonable it is to take a class for another.

    The file has the columns person, true, predicted, rating and, where there are bait
    questions, expected: the answer that everybody gives who reads the question.
    """

    name: ClassVar[str] = "chl"
    example = MappingProxyType({"ratings": "ratings.csv"})

    ratings: str = location()
    highest: int = 4
    tolerance: int = 0
    """How far the answer to a bait question may be from the expected one."""
    misses: int = 0
    """How many bait questions a person may answer wrongly."""

    def __post_init__(self) -> None:
        """Refuse impossible parameters."""
        if self.highest < 1 or self.tolerance < 0 or self.misses < 0:
            raise ParameterError(
                "similarity 'chl': highest must be at least 1, tolerance and misses at least 0"
            )

    def matrix(self, dataset: Dataset) -> Float64[Tensor, "classes classes"]:
        """Means over people, `highest` on the diagonal."""
        counts = self._counts(dataset)
        values = torch.arange(self.highest + 1, dtype=torch.float64)
        means = (counts.double() @ values) / counts.sum(2)
        means.fill_diagonal_(float(self.highest))
        return checked_similarity(
            means, dataset.class_names(), f"similarity 'chl' of {self.ratings}"
        )

    def labels_needed(self, dataset: Dataset) -> int:
        """The number of ratings that are used."""
        return len(self.panel(dataset).ratings)

    def agreement(self, dataset: Dataset) -> float:
        """Krippendorff's ordinal alpha of those who are kept; NaN where nothing can be said."""
        return float(ordinal_alpha(self._counts(dataset).flatten(0, 1)))

    def facts(self, dataset: Dataset) -> dict[str, Any]:
        """Who rated, who was left out and why, and how far the others agree."""
        panel, alpha = self.panel(dataset), self.agreement(dataset)
        return {
            "people": len(panel.people),
            "agreement (Krippendorff's alpha, ordinal)": None if isnan(alpha) else alpha,
            "left out": panel.dropped,
        }

    def panel(self, dataset: Dataset) -> Panel:
        """Whose ratings count; `MismatchError` for what is not about the dataset's classes."""
        ratings = _ratings(self.ratings, self.highest, content_hash(self.ratings))
        pair_ratings = [rating for rating in ratings if rating.expected is None]
        _check_ratings(self.ratings, pair_ratings, dataset.class_names())
        dropped = dropped_people(ratings, self.tolerance, self.misses)
        people = dict.fromkeys(rating.person for rating in ratings)
        return Panel(
            tuple(rating for rating in pair_ratings if rating.person not in dropped),
            tuple(person for person in people if person not in dropped),
            dropped,
        )

    def _counts(self, dataset: Dataset) -> Int64[Tensor, "classes classes values"]:
        """How many people gave each pair each rating; `MismatchError` lists pairs without."""
        names, panel = dataset.class_names(), self.panel(dataset)
        places = {name: place for place, name in enumerate(names)}
        counts = torch.zeros(len(names), len(names), self.highest + 1, dtype=torch.int64)
        for rating in panel.ratings:
            counts[places[rating.true], places[rating.predicted], rating.value] += 1
        rated = (counts.sum(2) > 0).fill_diagonal_(True)
        if not rated.all():
            pairs = [
                f"{names[row]} → {names[column]}" for row, column in (~rated).nonzero().tolist()
            ]
            raise MismatchError(
                f"ratings={self.ratings}: nobody who is kept rated {len(pairs)} of the "
                f"{len(names) * (len(names) - 1)} pairs of dataset {dataset.name!r}: "
                f"{quoted(pairs)}{_dropped_sentence(panel.dropped)}"
            )
        return counts


@functools.lru_cache(maxsize=4)
def _ratings(file: str, highest: int, digest: str) -> tuple[Rating, ...]:
    """The ratings in a file of this content."""
    return read_ratings(file, highest)


def _dropped_sentence(dropped: dict[str, str]) -> str:
    who = "1 person was" if len(dropped) == 1 else f"{len(dropped)} people were"
    return f". {who} dropped over bait questions." if dropped else ""


def dropped_people(ratings: tuple[Rating, ...], tolerance: int, misses: int) -> dict[str, str]:
    """Who answered too many bait questions wrongly, and how; who saw none is kept."""
    mistakes: dict[str, list[str]] = defaultdict(list)
    for rating in ratings:
        if rating.expected is not None and abs(rating.value - rating.expected) > tolerance:
            answer = f"{rating.value} for {rating.expected} in line {rating.line}"
            mistakes[rating.person].append(answer)
    return {
        person: f"bait questions: {', '.join(answers)}"
        for person, answers in mistakes.items()
        if len(answers) > misses
    }


def _check_ratings(file: str, ratings: list[Rating], names: tuple[str, ...]) -> None:
    """Only pairs of different classes of the dataset, each rated once by a person."""
    known = set(names)
    unknown = dict.fromkeys(
        name for rating in ratings for name in (rating.true, rating.predicted) if name not in known
    )
    if unknown:
        raise MismatchError(
            f"ratings={file} speaks of classes that the dataset does not have: {quoted(unknown)}; "
            f"it has {quoted(names)}"
        )
    lines = [rating.line for rating in ratings if rating.true == rating.predicted]
    if lines:
        raise MismatchError(
            f"ratings={file}, line {lines[0]}: a class is rated against itself; that is always the "
            "highest rating, and not asked"
        )
    counts = Counter((rating.person, rating.true, rating.predicted) for rating in ratings)
    repeated = [pair for pair, count in counts.items() if count > 1]
    if repeated:
        person, true, predicted = repeated[0]
        raise MismatchError(
            f"ratings={file}: person {person!r} rated {true} → {predicted} more than once"
        )
