"""Krippendorff's alpha: how far people agree, with answers missing.

Krippendorff, Content Analysis (2004), chapter 11; Computing Krippendorff's Alpha-Reliability
(2011). NLTK computes it; its metrics have no ordinal one, which depends on how often each value
was given.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple


class Judgement(NamedTuple):
    """One value that one person gave one unit."""

    person: str
    unit: str
    value: Hashable


def nominal_alpha(judgements: Sequence[Judgement]) -> float:
    """Alpha of values that are equal or not; 1 is agreement, 0 what chance would give.

    Units with one judgement say nothing. NaN where nothing can be compared, or where all values
    are the same.
    """
    return _alpha(_paired(judgements), lambda first, second: float(first != second))


def ordinal_alpha(judgements: Sequence[Judgement]) -> float:
    """Alpha of degrees, which are numbers, by Krippendorff's ordinal metric."""
    paired = _paired(judgements)
    return _alpha(paired, ordinal_distance(Counter(of.value for of in paired)))


def ordinal_distance(counts: "Counter[Hashable]") -> Callable[[Hashable, Hashable], float]:
    """The metric of values that were given so often, which may not be compared further.

    The squared number of judgements from one value to the other, half of those at either end:
    δ²(c, k) = (Σ_{g = c … k} n_g − (n_c + n_k) / 2)².
    """
    before, middles = 0, {}
    for value in sorted(counts):  # type: ignore[type-var]
        middles[value] = before + counts[value] / 2
        before += counts[value]
    return lambda first, second: (middles[first] - middles[second]) ** 2


def _paired(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Judgements of units that have another one."""
    counts = Counter(of.unit for of in judgements)
    return [of for of in judgements if counts[of.unit] > 1]


def _alpha(
    judgements: Sequence[Judgement], distance: Callable[[Hashable, Hashable], float]
) -> float:
    from nltk.metrics.agreement import AnnotationTask

    if len({of.value for of in judgements}) < 2:
        return float("nan")
    return float(AnnotationTask(judgements, distance).alpha())
