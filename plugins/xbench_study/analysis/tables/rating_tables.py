"""Tables of rated mistakes: whose are more reasonable, and whether scores rank as people do."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from xbench import Draws, band
from xbench.commands import Row, Table
from xbench_study.analysis.answers import Answers
from xbench_study.analysis.cells import (
    DASH,
    number_cell,
    number_text,
    p_text,
)
from xbench_study.kernels.clustered_means import Estimate
from xbench_study.kernels.mistake_ratings import RatedMistakes, rank_correlation, rated_mistakes
from xbench_study.kernels.t_tests import paired_t
from xbench_study.material.item import Secret

PREDICTED = "predicted by "
"""Facts of an item's secret begin so: the class index that a classifier, named behind, takes the
image for."""
SCORES = ("hard", "soft")
"""Facts `hard NAME` and `soft NAME`: what an automatic score gives a classifier's mistake."""


class Mistakes(NamedTuple):
    """What people say of classifiers' mistakes."""

    classifiers: tuple[str, ...]
    rated: RatedMistakes
    cannot_tell: int
    """How many ratings are "cannot tell"."""


def mistakes(answers: Answers, secrets: Mapping[str, Secret]) -> Mistakes:
    """Degrees by image and classifier; those who predict the same class share its rating."""
    names = sorted({name for of in secrets.values() for name in _predictions(of)})
    rows = [
        (secret.image, names.index(name), np.nan if degree is None else float(degree))
        for item, ratings in zip(answers.items, answers.ratings, strict=True)
        for secret in [secrets[item]]
        for name, label in _predictions(secret).items()
        for option, degree in ratings.items()
        if secret.classes.get(option) == label
    ]
    columns = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    images, classifiers = columns[:2].astype(np.int64)
    rated = rated_mistakes(images, classifiers, columns[2], len(names))
    unsure = [of for ratings in answers.ratings for of in ratings.values() if of is None]
    return Mistakes(tuple(names), rated, len(unsure))


def _predictions(secret: Secret) -> dict[str, int]:
    """The class index that each classifier takes the image for."""
    return {
        name.removeprefix(PREDICTED): int(value)
        for name, value in secret.facts.items()
        if name.startswith(PREDICTED)
    }


def rating_table(of: Mistakes, draws: Draws) -> Table:
    """The mean degree of each classifier's mistakes."""
    rows = tuple(
        Row(name, (number_cell(_mean(of.rated.degrees[:, place], draws)), _n(of, place)))
        for place, name in enumerate(of.classifiers)
    )
    legend = f'"Cannot tell" ({of.cannot_tell} ratings) is in no mean. Intervals: images resampled.'
    columns = ("", "mean degree", "images / ratings")
    return Table("How reasonable mistakes are", columns, rows, legend)


def _n(of: Mistakes, place: int) -> str:
    ratings = of.rated.ratings[:, place]
    return f"{(ratings > 0).sum()} / {ratings.sum()}"


def _mean(degrees: Float64[np.ndarray, " i"], draws: Draws) -> Estimate:
    says = band(np.arange(len(degrees)), degrees[:, None], draws)
    return Estimate(*(float(part[0]) for part in says))


def paired_rating_table(of: Mistakes, draws: Draws) -> Table:
    """Every two classifiers on the images of which both mistakes were rated."""
    rows = []
    for a, b in combinations(range(len(of.classifiers)), 2):
        degrees = of.rated.degrees[:, [a, b]]
        first, second = degrees[~np.isnan(degrees).any(1)].T
        test = paired_t(first, second)
        cell = number_cell(_mean(first - second, draws)) if len(first) else DASH
        name = f"{of.classifiers[a]} − {of.classifiers[b]}"
        rows.append(Row(name, (cell, str(len(first)), p_text(test.p))))
    columns = ("", "difference", "images", "p")
    title = "Differences in mean degree, paired over images; p of the paired t-test over images"
    return Table(title, columns, tuple(rows))


def rank_table(of: Mistakes, secrets: Mapping[str, Secret]) -> Table:
    """Whether hard and soft scores rank mistakes, and classifiers, as people do."""
    columns = ("", "over images and classifiers", "over classifiers")
    rows = tuple(_rank_rows(of, secrets))
    return Table("Spearman's rank correlation with people's degrees", columns, rows)


def _rank_rows(of: Mistakes, secrets: Mapping[str, Secret]) -> Iterator[Row]:
    by_image = {secret.image: secret for secret in secrets.values()}
    for score in SCORES:
        values = np.array(
            [
                [by_image[image].facts.get(f"{score} {name}", np.nan) for name in of.classifiers]
                for image in of.rated.images.tolist()
            ],
            dtype=np.float64,
        ).reshape(of.rated.degrees.shape)
        both = np.where(np.isnan(values), np.nan, of.rated.degrees)
        single = rank_correlation(values.ravel(), both.ravel())
        means = rank_correlation(_column_means(values), _column_means(both))
        yield Row(f"{score} score", (number_text(single), number_text(means)))


def _column_means(values: Float64[np.ndarray, "i c"]) -> Float64[np.ndarray, " c"]:
    counts = (~np.isnan(values)).sum(0)
    sums = np.nansum(values, axis=0)
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
