"""Floors of a study: what stand-ins for people, who are named simulated, answer rightly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float64

from xbench import Draws
from xbench.commands import Row, Table
from xbench_study.analysis.accuracies import NO_CATEGORY
from xbench_study.analysis.answers import Answers
from xbench_study.analysis.cells import share_cell
from xbench_study.kernels.clustered_means import Estimate, group_means
from xbench_study.material.item import Secret

GUESSING = "simulated guessing"


@dataclass(frozen=True, eq=False)
class SimulatedAnswers:
    """Which of the items that people answered about a stand-in gets right."""

    label: str
    items: Sequence[Secret]
    categories: Mapping[str, str]
    """By item."""
    right: Float64[np.ndarray, " items"]
    """1 or 0; of guessing the share that is expected."""
    draws: Draws

    def estimate(self, category: str | None = None) -> Estimate:
        """The share of right answers, of a category or of all; images are resampled."""
        if category is None:
            return self._of(np.full(len(self.items), True))
        names = [self.categories.get(secret.item) or NO_CATEGORY for secret in self.items]
        return self._of(np.array([name == category for name in names]))

    def _of(self, inside: Bool[np.ndarray, " items"]) -> Estimate:
        if not inside.any():
            return Estimate(np.nan, np.nan, np.nan)
        images = self._images[inside]
        alone = np.zeros(len(images), dtype=np.int64)
        means = group_means(images, alone, self.right[inside], alone, 1, self.draws)
        return means.estimate(0)

    @cached_property
    def _images(self) -> np.ndarray:
        return np.array([secret.image for secret in self.items], dtype=np.int64)


def floors(answers: Answers, secrets: Mapping[str, Secret], draws: Draws) -> list[SimulatedAnswers]:
    """Guessing, and each simulated observer that the study has; of questions with one right option.

    People's answers only say which items were asked about; none of these enters their numbers.
    """
    asked = [secrets[key] for key in sorted(set(answers.items.tolist()))]
    asked = [secret for secret in asked if len(secret.right) == 1 and secret.classes]
    if not asked:
        return []
    names = sorted({name for secret in asked for name in secret.simulated})
    guesses = np.array([1 / len(secret.classes) for secret in asked])
    known = dict(zip(answers.items.tolist(), answers.categories.tolist(), strict=True))
    every = {name: _observed(name, asked) for name in names} | {GUESSING: (asked, guesses)}
    return [
        SimulatedAnswers(name, own, known, right, draws) for name, (own, right) in every.items()
    ]


def _observed(
    name: str, asked: Sequence[Secret]
) -> tuple[list[Secret], Float64[np.ndarray, " items"]]:
    """The items that a simulated observer answered, and whether rightly."""
    own = [secret for secret in asked if name in secret.simulated]
    return own, np.array([float(secret.simulated[name] in secret.right) for secret in own])


def floor_table(every: Sequence[SimulatedAnswers]) -> Table:
    """Each floor's share of right answers."""
    rows = tuple(
        Row(of.label, (share_cell(of.estimate()), str(len({s.image for s in of.items}))))
        for of in every
    )
    return Table(TITLE, ("", "right", "images"), rows, LEGEND)


TITLE = "Floors, simulated: right answers in per cent of who stands in for people"
LEGEND = (
    "Simulated: another network sees what a condition's maps mark, or the whole image where it "
    "shows none. No result about people. Intervals: images resampled."
)
