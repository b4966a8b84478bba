"""Fair shares are those of dealing round by round."""

from hypothesis import given
from hypothesis import strategies as st

from xbench.kernels import fair_shares


def slow_shares(counts: list[int], limit: int) -> list[int]:
    """One after another, round by round."""
    shares = [0] * len(counts)
    while sum(shares) < min(limit, sum(counts)):
        open_ = [kind for kind, count in enumerate(counts) if shares[kind] < count]
        least = min(shares[kind] for kind in open_)
        shares[next(kind for kind in open_ if shares[kind] == least)] += 1
    return shares


@given(st.lists(st.integers(0, 8), max_size=5), st.integers(1, 30))
def test_fair_shares_are_dealt_round_by_round(counts, limit):
    assert fair_shares(counts, limit) == slow_shares(counts, limit)
