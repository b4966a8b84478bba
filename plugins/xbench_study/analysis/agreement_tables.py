"""Tables of agreement, and of the time that answers took."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np

from xbench import Draws, band
from xbench.commands import Row, Table
from xbench_study.analysis.answers import Answers
from xbench_study.analysis.cells import DASH, number_cell, number_text, share_cell
from xbench_study.kernels.alpha import Judgement, nominal_alpha, ordinal_alpha
from xbench_study.kernels.clustered_means import Estimate
from xbench_study.kernels.kappa import fleiss_kappa
from xbench_study.kernels.medians import clustered_median
from xbench_study.kernels.pair_agreement import (
    Majorities,
    agreements,
    chance,
    majorities,
    pair_numbers,
)
from xbench_study.material.item import Secret


def agreement_table(
    answers: Answers, conditions: Mapping[str, str], secrets: Mapping[str, Secret]
) -> Table:
    """Krippendorff's alpha by condition (name → title), and Fleiss' kappa where it is defined."""
    rows = []
    for name, title in conditions.items():
        own = answers.in_condition(name)
        rated = any(own.ratings.tolist())
        judgements = _ratings(own) if rated else _choices(own, secrets)
        alpha = ordinal_alpha(judgements) if rated else nominal_alpha(judgements)
        kappa = DASH if rated else _fleiss(judgements)
        rows.append(Row(title, (number_text(alpha, 3), kappa, str(len(judgements)))))
    metric = "ordinal" if any(answers.ratings.tolist()) else "nominal"
    columns = ("", f"Krippendorff's alpha ({metric})", "Fleiss' kappa", "judgements")
    legend = "Fleiss' kappa stands only where all items have the same number of answers."
    return Table("How far people agree", columns, tuple(rows), legend)


def _choices(answers: Answers, secrets: Mapping[str, Secret]) -> list[Judgement]:
    """What was chosen of each item: classes where they are known, "don't know" left out."""
    return [
        Judgement(person, item, tuple(sorted(_classes(chosen, secrets.get(item)))))
        for person, item, chosen in zip(
            answers.participants, answers.items, answers.chosen, strict=True
        )
        if chosen
    ]


def _classes(chosen: tuple[str, ...], secret: Secret | None) -> list[str]:
    classes = secret.classes if secret else {}
    return [f"class {classes[key]}" if key in classes else key for key in chosen]


def _ratings(answers: Answers) -> list[Judgement]:
    """The degree of each option; "cannot tell" is missing."""
    return [
        Judgement(person, f"{item} {option}", degree)
        for person, item, ratings in zip(
            answers.participants, answers.items, answers.ratings, strict=True
        )
        for option, degree in ratings.items()
        if degree is not None
    ]


def _fleiss(judgements: Sequence[Judgement]) -> str:
    values = {
        value: place for place, value in enumerate(dict.fromkeys(j.value for j in judgements))
    }
    units = {unit: place for place, unit in enumerate(dict.fromkeys(j.unit for j in judgements))}
    counts = np.zeros((len(units), len(values)), dtype=np.int64)
    for of in judgements:
        counts[units[of.unit], values[of.value]] += 1
    sizes = Counter(counts.sum(1).tolist())
    return number_text(fleiss_kappa(counts), 3) if len(sizes) == 1 and min(sizes) > 1 else DASH


def pair_table(
    answers: Answers, conditions: Mapping[str, str], options: int, draws: Draws, *, unsure: bool
) -> Table:
    """Agreement on pairs, of people with each other and with the algorithm."""
    rows = tuple(
        Row(title, _pair_cells(answers.in_condition(name), draws, unsure))
        for name, title in conditions.items()
    )
    columns = ("", "same pair", "items with a majority", "algorithm's pair", "majority's is it")
    how = '"don\'t know" is disagreement' if unsure else '"don\'t know" left out'
    title = f"Agreement on pairs in per cent, {how}; by chance {100 * chance(options):.0f}"
    return Table(title, columns, rows, "Intervals: items resampled.")


def _pair_cells(answers: Answers, draws: Draws, unsure: bool) -> tuple[str, ...]:
    """People with each other, items, answers with the algorithm, majorities with it."""
    if not len(answers):
        return (DASH,) * 4
    items, pairs = np.unique(answers.items, return_inverse=True)[1], _pairs(answers)
    kept = (pairs >= 0) | unsure
    same = agreements(items, pairs, with_unsure=unsure)
    most = majorities(items, pairs, with_unsure=unsure)
    right = np.nan_to_num(answers.right)
    shares = (
        (same.items, same.agree),
        (most.items, most.pairs >= 0),
        (items[kept], right[kept]),
        (most.items, _with_algorithm(most, items, pairs, right)),
    )
    return tuple(share_cell(_share(of, values, draws)) for of, values in shares)


def _with_algorithm(
    most: Majorities, items: np.ndarray, pairs: np.ndarray, right: np.ndarray
) -> np.ndarray:
    """Whether an item's majority names the algorithm's pair."""
    named = set(zip(items[right == 1].tolist(), pairs[right == 1].tolist(), strict=True))
    return np.array([of in named for of in zip(*(m.tolist() for m in most), strict=True)])


def _share(items: np.ndarray, values: np.ndarray, draws: Draws) -> Estimate:
    if not len(items):
        return Estimate(*[float("nan")] * 3)
    of = band(items, values.astype(np.float64)[:, None], draws)
    return Estimate(*(float(part[0]) for part in of))


def _pairs(answers: Answers) -> np.ndarray:
    """A number for the pair of options that each answer names; −1 for "don't know"."""
    options = {
        key: place for place, key in enumerate(sorted({k for c in answers.chosen for k in c}))
    }
    places = np.array(
        [[options[key] for key in c] if len(c) == 2 else [-1, -1] for c in answers.chosen]
    )
    return pair_numbers(places[:, 0], places[:, 1], len(options))


def time_table(answers: Answers, conditions: Mapping[str, str], draws: Draws) -> Table:
    """The median time of an answer by condition."""
    rows = []
    for name, title in conditions.items():
        own = answers.in_condition(name)
        people = np.unique(own.participants, return_inverse=True)[1]
        median = clustered_median(own.images, people, own.seconds, draws)
        cell = DASH if isnan(median.value) else number_cell(median)
        rows.append(Row(title, (cell, str(len(own)))))
    legend = "Intervals: images and participants resampled, both at once (pigeonhole bootstrap)."
    return Table("Median seconds of an answer", ("", "median", "answers"), tuple(rows), legend)
