"""From rows to scores of the shift protocol."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Shaped

from xbench import CaseScores, MismatchError, Rows, Tree, case_places
from xbench_softlabels.shift.rows import NUMBERS

BASE = "test"
"""The set that networks know the likes of."""
AFAR = "cross-entropy off the training distribution"
RISE = "rise of cross-entropy"


class SetAnswers(NamedTuple):
    """What was seen of one set."""

    name: str
    cases: Shaped[np.ndarray, " n"]
    values: Mapping[str, Float64[np.ndarray, " n"]]


def answers_by_set(table: Rows) -> list[SetAnswers]:
    """The sets of one entry's rows, the known one first."""
    names = table.column("set").cast(pa.string()).to_numpy(zero_copy_only=False)
    cases = case_places(table).rows
    numbers = {key: table.column(key).to_numpy() for key in NUMBERS}
    sets = sorted(dict.fromkeys(names.tolist()), key=lambda name: (name != BASE, name))
    return [
        SetAnswers(name, cases[at], {key: values[at] for key, values in numbers.items()})
        for name, at in ((name, np.flatnonzero(names == name)) for name in sets)
    ]


def scores(table: Rows, known: str = BASE) -> list[CaseScores]:
    """Accuracy and cross-entropy of each set, how far the latter rises, and over all that shift.

    Rises count from the known set; neither it nor `test` shifts.
    """
    sets = {of.name: of for of in answers_by_set(table)}
    base = sets.pop(known)
    near = sets.pop(BASE, None)  # not there where it is the known one
    shifted = list(sets.values())
    headlines = [replace(of, headline=True) for of in _of_set(base)]
    return [
        *headlines,
        *_afar(shifted),
        *(_of_set(near) if near else ()),
        *_of_shifts(base, shifted),
    ]


def check_known(known: str, names: Sequence[str]) -> None:
    """Raise `MismatchError` where none of the sets is called so."""
    if known not in names:
        raise MismatchError(
            f"protocol.known: there is no test set {known!r}; there are {', '.join(names)}. "
            "The images of `test` are those with -p protocol.known=test"
        )


def _of_set(of: SetAnswers) -> Iterator[CaseScores]:
    correct, entropies = of.values["correct"], of.values["cross_entropy"]
    yield CaseScores(f"accuracy@{of.name}", "higher", of.cases, correct, ranking=False)
    yield CaseScores(
        f"cross-entropy@{of.name}", "lower", of.cases, entropies, unit="number", ranking=False
    )


def _afar(shifted: Sequence[SetAnswers]) -> Iterator[CaseScores]:
    """The mean over sets of each set's mean, whatever their sizes."""
    if shifted:
        weights = [1 / len(shifted)] * len(shifted)
        yield replace(combined(AFAR, shifted, weights), headline=True, ranking=True)


def _of_shifts(base: SetAnswers, shifted: Sequence[SetAnswers]) -> Iterator[CaseScores]:
    for of in shifted:
        yield from _of_set(of)
    for of in shifted:
        yield _rise(base, of)


def _rise(base: SetAnswers, of: SetAnswers) -> CaseScores:
    """The set's mean less the known set's.

    Differences between entries are the interaction of what they gain and the shift: by how much
    more one of them loses there.
    """
    return combined(f"{RISE}@{of.name}", [base, of], [-1, 1])


def combined(name: str, sets: Sequence[SetAnswers], weights: Sequence[float]) -> CaseScores:
    """Σ w_s · (mean cross-entropy of set s), as a mean over the images of all sets.

    Each image has the sum and its own part of it, w_s n / n_s times how far it lies from its
    set's mean: means over resampled images then scatter as the sum does, whatever it is made of.
    """
    entropies = [of.values["cross_entropy"] for of in sets]
    count = sum(map(len, entropies))
    total = sum(w * own.mean() for w, own in zip(weights, entropies, strict=True))
    values = [
        total + w * count / len(own) * (own - own.mean())
        for w, own in zip(weights, entropies, strict=True)
    ]
    cases = np.concatenate([of.cases for of in sets])
    return CaseScores(name, "lower", cases, np.concatenate(values), unit="number", ranking=False)


def notes(table: Rows) -> Tree:
    """How sure networks are of each set, and how often the ideal observer is right there."""
    return {of.name: _notes_of(of) for of in answers_by_set(table)}


def _notes_of(of: SetAnswers) -> Tree:
    correct, confidence, ideal = (of.values[k] for k in ("correct", "confidence", "ideal"))
    known = not np.isnan(ideal).all()
    return {
        "images": len(of.cases),
        "confidence": round(float(confidence.mean()), 6),
        "overconfidence": round(float((confidence - correct).mean()), 6),
        "ideal_observer_accuracy": round(float(ideal.mean()), 6) if known else None,
    }
