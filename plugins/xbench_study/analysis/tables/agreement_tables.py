"""Tables of agreement, and of the time that answers took."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np

from xbench import Draws
from xbench.commands import Row, Table
from xbench_study.analysis.answers import Answers
from xbench_study.analysis.cells import DASH, number_cell, number_text
from xbench_study.kernels.alpha import Judgement, nominal_alpha, ordinal_alpha
from xbench_study.kernels.kappa import fleiss_kappa
from xbench_study.kernels.medians import clustered_median
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
