"""Fair shares of what there is not enough of."""

from bisect import bisect_right
from collections.abc import Sequence


def fair_shares(counts: Sequence[int], limit: int) -> list[int]:
    """How many of each kind to take, `limit` of all where there are so many.

    No kind gives fewer than another unless all of it is taken; of what does not divide evenly
    the first get one more.
    """

    def total(level: int) -> int:
        return sum(min(count, level) for count in counts)

    level = bisect_right(range(1, max(counts, default=0) + 1), limit, key=total)
    rest = limit - total(level)
    bonus_kinds = [kind for kind, count in enumerate(counts) if count > level][:rest]
    return [min(count, level) + (kind in bonus_kinds) for kind, count in enumerate(counts)]
