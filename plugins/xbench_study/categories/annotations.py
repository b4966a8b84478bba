"""What two people say of which category each error is, and how far they agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xbench.commands import counted
from xbench_study.answers.storage.keyed import drawn
from xbench_study.kernels.kappa import cohen_kappa

PEOPLE = 2
"""How many annotate; whoever comes later settles what they disagree about."""


@dataclass(frozen=True)
class AnnotationCounts:
    """How many items are annotated by how many people, and how far these agree."""

    items: int
    people: int
    by_both: int
    """Items that two people annotated."""
    disagreements: int
    settled: int
    """Disagreements about which a decision was taken."""
    kappa: float | None
    """Cohen's, of the items that both annotated, before anything was settled; None for none."""

    def sentence(self) -> str:
        """All of it as a sentence of a text."""
        return f"{self.words()[0].upper()}{self.words()[1:]}."

    def words(self) -> str:
        """All of it in some words."""
        people = "1 person" if self.people == 1 else f"{self.people} people"
        kappa = "not defined" if self.kappa is None else f"{self.kappa:.2f}"
        return (
            f"error categories: {self.by_both} of {counted(self.items, 'item')} annotated by two, "
            f"{people} in all, before there were answers and blind to condition; Cohen's kappa "
            f"{kappa}; {counted(self.disagreements, 'disagreement')}, {self.settled} settled"
        )


@dataclass(frozen=True)
class Annotations:
    """Who said what; people in the order in which they began."""

    items: Sequence[str]
    """Those that are to be annotated."""
    names: Sequence[str]
    """Of the categories."""
    given: Mapping[str, Mapping[str, str]]
    """By person, then by item."""
    settled: Mapping[str, str]

    @cached_property
    def both(self) -> list[str]:
        """The items that two people annotated."""
        if len(self.given) < PEOPLE:
            return []
        first, second = self._pair
        return [item for item in self.items if item in first and item in second]

    @property
    def _pair(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        first, second = list(self.given.values())[:PEOPLE]
        return first, second

    @property
    def complete(self) -> bool:
        """Whether two people annotated all items; what they said then stands."""
        return bool(self.items) and len(self.both) == len(self.items)

    @cached_property
    def disagreements(self) -> list[tuple[str, tuple[str, str]]]:
        """Items of which two people said different things, with what each said."""
        if not self.both:
            return []
        first, second = self._pair
        return [(i, (first[i], second[i])) for i in self.both if first[i] != second[i]]

    @property
    def unsettled(self) -> list[tuple[str, tuple[str, str]]]:
        """Disagreements about which nothing was decided."""
        return [pair for pair in self.disagreements if pair[0] not in self.settled]

    @property
    def kappa(self) -> float:
        """Cohen's kappa of the items that both annotated; NaN where it is not defined."""
        if not self.both:
            return float("nan")
        columns = [np.array([self._code(of[item]) for item in self.both]) for of in self._pair]
        return cohen_kappa(columns[0], columns[1], len(self._known))

    @cached_property
    def _known(self) -> list[str]:
        """The categories, with those that the description had before."""
        said = {name for of in self.given.values() for name in of.values()}
        return [*self.names, *sorted(said - set(self.names))]

    def _code(self, name: str) -> int:
        return self._known.index(name)

    def categories(self) -> dict[str, str]:
        """The category of each item that two people agree about, or that was settled."""
        if not self.both:
            return {}
        first, _ = self._pair
        apart = dict(self.disagreements)
        agreed = {item: first[item] for item in self.both if item not in apart}
        return agreed | {item: name for item, name in self.settled.items() if item in apart}

    def order(self, person: str, seed: int) -> list[str]:
        """The items in an order of this person's own."""
        return sorted(self.items, key=lambda item: drawn(seed, "categorise", person, item))

    def counts(self) -> AnnotationCounts:
        """How far it is."""
        apart, kappa = len(self.disagreements), self.kappa
        return AnnotationCounts(
            len(self.items),
            len(self.given),
            len(self.both),
            apart,
            apart - len(self.unsettled),
            None if np.isnan(kappa) else round(kappa, 4),
        )
