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
    location,
)
from xbench_explicable.kernels.agreement import ordinal_alpha
from xbench_explicable.similarities.file_digest import file_digest
from xbench_explicable.similarities.matching import quoted
from xbench_explicable.similarities.ratings_file import Rating, read_ratings


class Panel(NamedTuple):
    """The ratings that count, and whose do not."""

    used: tuple[Rating, ...]
    """Ratings of class pairs by people who saw through the baits."""
    kept: tuple[str, ...]
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
        return len(self.panel(dataset).used)

    def agreement(self, dataset: Dataset) -> float:
        """Krippendorff's ordinal alpha of those who are kept; NaN where nothing can be said."""
        return float(ordinal_alpha(self._counts(dataset).flatten(0, 1)))

    def facts(self, dataset: Dataset) -> dict[str, Any]:
        """Who rated, who was left out and why, and how far the others agree."""
        panel, alpha = self.panel(dataset), self.agreement(dataset)
        return {
            "people": len(panel.kept),
            "agreement (Krippendorff's alpha, ordinal)": None if isnan(alpha) else alpha,
            "left out": panel.dropped,
        }

    def panel(self, dataset: Dataset) -> Panel:
        """Whose ratings count; `MismatchError` for what is not about the dataset's classes."""
        every = _read(self.ratings, self.highest, file_digest(self.ratings))
        asked = [one for one in every if one.expected is None]
        _check(self.ratings, asked, dataset.class_names())
        dropped = dropped_people(every, self.tolerance, self.misses)
        people = dict.fromkeys(one.person for one in every)
        return Panel(
            tuple(one for one in asked if one.person not in dropped),
            tuple(person for person in people if person not in dropped),
            dropped,
        )

    def _counts(self, dataset: Dataset) -> Int64[Tensor, "classes classes values"]:
        """How many people gave each pair each rating; `MismatchError` lists pairs without."""
        names, panel = dataset.class_names(), self.panel(dataset)
        where = {name: place for place, name in enumerate(names)}
        counts = torch.zeros(len(names), len(names), self.highest + 1, dtype=torch.int64)
        for one in panel.used:
            counts[where[one.true], where[one.predicted], one.value] += 1
        rated = (counts.sum(2) > 0).fill_diagonal_(True)
        if not rated.all():
            pairs = [
                f"{names[row]} → {names[column]}" for row, column in (~rated).nonzero().tolist()
            ]
            raise MismatchError(
                f"ratings={self.ratings}: nobody who is kept rated {len(pairs)} of the "
                f"{len(names) * (len(names) - 1)} pairs of dataset {dataset.name!r}: "
                f"{quoted(pairs)}{_told(panel.dropped)}"
            )
        return counts


@functools.lru_cache(maxsize=4)
def _read(file: str, highest: int, digest: str) -> tuple[Rating, ...]:
    """The ratings in a file of this content."""
    return read_ratings(file, highest)


def _told(dropped: dict[str, str]) -> str:
    who = "1 person was" if len(dropped) == 1 else f"{len(dropped)} people were"
    return f". {who} dropped over bait questions." if dropped else ""


def dropped_people(ratings: tuple[Rating, ...], tolerance: int, misses: int) -> dict[str, str]:
    """Who answered too many bait questions wrongly, and how; who saw none is kept."""
    wrong: dict[str, list[str]] = defaultdict(list)
    for one in ratings:
        if one.expected is not None and abs(one.value - one.expected) > tolerance:
            told = f"{one.value} for {one.expected} in line {one.line}"
            wrong[one.person].append(told)
    return {
        person: f"bait questions: {', '.join(told)}"
        for person, told in wrong.items()
        if len(told) > misses
    }


def _check(file: str, ratings: list[Rating], names: tuple[str, ...]) -> None:
    """Only pairs of different classes of the dataset, each rated once by a person."""
    known = set(names)
    unknown = dict.fromkeys(
        name for one in ratings for name in (one.true, one.predicted) if name not in known
    )
    if unknown:
        raise MismatchError(
            f"ratings={file} speaks of classes that the dataset does not have: {quoted(unknown)}; "
            f"it has {quoted(names)}"
        )
    same = [one.line for one in ratings if one.true == one.predicted]
    if same:
        raise MismatchError(
            f"ratings={file}, line {same[0]}: a class is rated against itself; that is always the "
            "highest rating, and not asked"
        )
    times = Counter((one.person, one.true, one.predicted) for one in ratings)
    twice = [pair for pair, count in times.items() if count > 1]
    if twice:
        person, true, predicted = twice[0]
        raise MismatchError(
            f"ratings={file}: person {person!r} rated {true} → {predicted} more than once"
        )
