"""What one entry gains over another on each set, and the interaction of gain and shift."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from xbench import Band, Draws, band
from xbench.figures import joined
from xbench_softlabels.shift.summary import SetAnswers, combined

KEY = "cross_entropy"
NOTHING = Band(*[np.full(1, np.nan)] * 3)
"""Of a set whose images the two entries do not share."""

Sets = Mapping[str, SetAnswers]


def gain_bands(first: Sets, other: Sets, names: Sequence[str], draws: Draws) -> Band:
    """How much lower the other's cross-entropy is on each set, paired by image."""
    return joined([_mean(of, of.values[KEY], draws) for of in gains(first, other, names)])


def interactions(first: Sets, other: Sets, names: Sequence[str], draws: Draws) -> Band:
    """How much more the other gains on each set but the first named than on that one."""
    base, *shifted = gains(first, other, names)
    return joined([_interaction(base, of, draws) for of in shifted])


def gains(first: Sets, other: Sets, names: Sequence[str]) -> Iterator[SetAnswers]:
    """Cross-entropy of the first less the other's for each image; no image where they differ."""
    for name in names:
        cases = first[name].cases
        if name in other and np.array_equal(cases, other[name].cases):
            lower = first[name].values[KEY] - other[name].values[KEY]
            yield SetAnswers(name, cases, {KEY: lower})
        else:
            yield SetAnswers(name, cases[:0], {KEY: np.empty(0)})


def _interaction(base: SetAnswers, of: SetAnswers, draws: Draws) -> Band:
    if not (len(base.cases) and len(of.cases)):
        return NOTHING
    difference = combined("", [base, of], [-1, 1])
    return band(difference.cases, difference.values[:, None], draws)


def _mean(of: SetAnswers, values: np.ndarray, draws: Draws) -> Band:
    return band(of.cases, values[:, None], draws) if len(of.cases) else NOTHING
