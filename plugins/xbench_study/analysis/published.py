"""What the papers published, to stand beside ours."""

import functools
import tomllib
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float64
from pydantic import BaseModel, ConfigDict

from xbench.commands import Row, Table, signed_text, value_text
from xbench_study.analysis.accuracies import Accuracies
from xbench_study.analysis.cells import DASH, share_cell
from xbench_study.kernels.category_mix import standardised_difference
from xbench_study.kernels.clustered_means import Estimate

FILE = Path(__file__).parent / "published.toml"
STARS = "* p < .05, ** p < .01, as published (t-test over images)."
Both = tuple[float, float]


class PublishedCategory(BaseModel):
    """A category of errors in both conditions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    means: Both
    images: tuple[int, int]
    stars: str = ""


class PublishedStudy(BaseModel):
    """A table of a paper; of two figures the first is of the condition with explanations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    test: Literal["paired", "unpaired"]
    people: tuple[int, int]
    answers: int
    """In each condition."""
    conditions: tuple[str, str]
    overall: Both
    stars: str
    categories: dict[str, PublishedCategory]

    @property
    def difference(self) -> float:
        """Of the accuracies that follow from the categories, which have more digits."""
        sums = np.zeros(2)
        for of in self.categories.values():
            sums += np.multiply(of.means, of.images)
        shares = sums / np.sum([of.images for of in self.categories.values()], axis=0)
        return float(shares[0] - shares[1])

    @property
    def standardised(self) -> float:
        """The difference at the category mix of the images with explanations."""
        means = np.array([of.means for of in self.categories.values()]).T
        return standardised_difference(means[0], means[1], self.mix)

    @property
    def mix(self) -> Float64[np.ndarray, " c"]:
        """The share of the images with explanations that is in each category."""
        counts = np.array([of.images[0] for of in self.categories.values()])
        return counts / counts.sum()


@functools.cache
def published_studies() -> dict[str, PublishedStudy]:
    """The studies with published figures, by benchmark."""
    tree = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {name: PublishedStudy.model_validate(of) for name, of in tree.items()}


def published_table(benchmark: str, of: Accuracies, pair: tuple[int, int]) -> Table | None:
    """Ours beside what was published of the same benchmark; None where nothing was."""
    study = published_studies().get(benchmark)
    if study is None:
        return None
    first, second = study.conditions
    columns = ("", f"{first}, published", "ours", f"{second}, published", "ours")
    rows = [_row("all", study.overall, study.stars, [of.means.estimate(p) for p in pair])]
    count = len(of.categories)
    for name, category in study.categories.items():
        ours = [
            of.cells.estimate(place * count + of.categories.index(name))
            for place in pair
            if name in of.categories
        ]
        rows.append(_row(name, category.means, category.stars, ours))
    title = f"Beside {study.source}: right answers in per cent"
    return Table(title, columns, tuple(rows), f"{STARS}{_mixed(study)}")


def _row(name: str, figures: Both, stars: str, ours: list[Estimate]) -> Row:
    texts = [value_text(figure, "share") for figure in figures]
    cells = [share_cell(one) for one in ours] or [DASH, DASH]
    return Row(name, (texts[0], cells[0], texts[1] + stars, cells[1]))


def _mixed(study: PublishedStudy) -> str:
    if study.test == "paired":
        return ""
    return (
        f" The published difference is {signed_text(study.difference, 'points')} points; at the "
        f"category mix of the images {study.conditions[0]} it is "
        f"{signed_text(study.standardised, 'points')}."
    )
