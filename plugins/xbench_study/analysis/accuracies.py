"""Accuracies by condition and category: what is compared, with intervals and tests."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from xbench import Draws
from xbench.kernels import holm_adjusted
from xbench_study.analysis.answers import Answers
from xbench_study.kernels.accuracies import (
    ImageAccuracies,
    image_accuracies,
    paired_accuracies,
)
from xbench_study.kernels.category_mix import category_mix
from xbench_study.kernels.clustered_means import Estimate, GroupMeans, group_means
from xbench_study.kernels.t_tests import TTest, paired_t, unpaired_t, welch_t

Test = Literal["paired", "unpaired"]
NO_CATEGORY = "(none)"


class Sizes(NamedTuple):
    """How many images, answers and people a number is of."""

    images: int
    answers: int
    people: int


class CategoryComparison(NamedTuple):
    """A category in two conditions."""

    category: str
    means: tuple[Estimate, Estimate]
    sizes: tuple[Sizes, Sizes]
    difference: Estimate
    test: TTest
    holm: float
    """The p-value adjusted for the number of categories that could be tested."""


@dataclass(frozen=True, eq=False)
class Accuracies:
    """The answers of a study whose answers are right or wrong."""

    answers: Answers
    conditions: Sequence[str]
    draws: Draws

    @cached_property
    def scored(self) -> Answers:
        """Answers that are right or wrong."""
        return self.answers.where(~np.isnan(self.answers.right))

    @cached_property
    def categories(self) -> list[str]:
        """Those of the images, in order."""
        return sorted({of or NO_CATEGORY for of in self.scored.categories.tolist()})

    @cached_property
    def cells(self) -> GroupMeans:
        """Means of each condition and category: the group is condition × categories + category."""
        places = self._conditions * len(self.categories) + self._categories
        places[self._conditions < 0] = -1
        return self._means(places, len(self.conditions) * len(self.categories))

    @cached_property
    def means(self) -> GroupMeans:
        """Means of each condition."""
        return self._means(self._conditions, len(self.conditions))

    @cached_property
    def _conditions(self) -> Int64[np.ndarray, " n"]:
        places = {name: place for place, name in enumerate(self.conditions)}
        return np.array([places.get(of, -1) for of in self.scored.conditions], dtype=np.int64)

    @cached_property
    def _categories(self) -> Int64[np.ndarray, " n"]:
        places = {name: place for place, name in enumerate(self.categories)}
        names = [of or NO_CATEGORY for of in self.scored.categories]
        return np.array([places[of] for of in names], dtype=np.int64)

    def _means(self, groups: Int64[np.ndarray, " n"], count: int) -> GroupMeans:
        people = np.unique(self.scored.participants, return_inverse=True)[1]
        answers = self.scored
        return group_means(answers.images, people, answers.right, groups, count, self.draws)

    def sizes(self, condition: int, category: int | None = None) -> Sizes:
        """Of what a condition's mean is, or that of a category in it."""
        inside = self._conditions == condition
        if category is not None:
            inside &= self._categories == category
        own = self.scored.where(inside)
        return Sizes(len(set(own.images.tolist())), len(own), len(set(own.participants.tolist())))

    def shared_images(self, first: int, second: int) -> int:
        """How many images were asked about in both conditions."""
        return len(np.intersect1d(self._images(first), self._images(second)))

    def _images(self, condition: int) -> Int64[np.ndarray, " n"]:
        return self.scored.images[self._conditions == condition]

    def test(self, first: int, second: int, test: Test, category: int | None = None) -> TTest:
        """The paper's t test over images, of all of them or of a category's."""
        a, b = (self._of_images(of, category) for of in (first, second))
        if test == "unpaired":
            return unpaired_t(a.accuracies, b.accuracies)
        pairs = paired_accuracies(a, b)
        return paired_t(pairs.first, pairs.second)

    def welch(self, first: int, second: int) -> TTest:
        """The unpaired test without equal variances."""
        a, b = (self._of_images(of, None).accuracies for of in (first, second))
        return welch_t(a, b)

    def _of_images(self, condition: int, category: int | None) -> ImageAccuracies:
        inside = self._conditions == condition
        if category is not None:
            inside &= self._categories == category
        return image_accuracies(self.scored.images[inside], self.scored.right[inside])

    def standardised(self, first: int, second: int) -> Estimate:
        """The difference at the mix of categories that the first condition's images have."""
        count = len(self.categories)
        inside = self._conditions == first
        mix = category_mix(self.scored.images[inside], self._categories[inside], count)
        weights = np.zeros((len(self.conditions), count))
        weights[first], weights[second] = mix, -mix
        return self.cells.combination(weights.ravel())

    def by_category(self, first: int, second: int, test: Test) -> list[CategoryComparison]:
        """Every category in both conditions."""
        count = len(self.categories)
        tests = [self.test(first, second, test, category) for category in range(count)]
        adjusted = _adjusted(np.array([of.p for of in tests]))
        return [
            CategoryComparison(
                name,
                (self._cell(first, place), self._cell(second, place)),
                (self.sizes(first, place), self.sizes(second, place)),
                self.cells.difference(first * count + place, second * count + place),
                tests[place],
                float(adjusted[place]),
            )
            for place, name in enumerate(self.categories)
        ]

    def _cell(self, condition: int, category: int) -> Estimate:
        return self.cells.estimate(condition * len(self.categories) + category)


def _adjusted(p: Float64[np.ndarray, " m"]) -> Float64[np.ndarray, " m"]:
    """Holm's p-values of the tests that there are."""
    adjusted, tested = np.full(p.shape, np.nan), ~np.isnan(p)
    adjusted[tested] = holm_adjusted(p[tested])
    return adjusted


def people_in_both(answers: Answers) -> tuple[int, int]:
    """How many people answered in several conditions, and how many there are."""
    of_each: dict[str, set[str]] = {}
    for person, condition in zip(answers.participants, answers.conditions, strict=True):
        of_each.setdefault(person, set()).add(condition)
    return sum(len(of) > 1 for of in of_each.values()), len(of_each)
