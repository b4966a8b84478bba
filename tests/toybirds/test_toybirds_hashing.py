"""Random numbers are integer hashes of what they are for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xbench_toybirds.hashing import integers, permutation, uniforms, words

MASK = 2**64 - 1


def mixed(key):
    """The finaliser of splitmix64 in Python's own integers."""
    key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    key = (key ^ (key >> 27)) * 0x94D049BB133111EB & MASK
    return key ^ (key >> 31)


@given(st.integers(-(2**40), 2**40), st.integers(0, 2**62), st.integers(1, 5))
def test_words_are_those_of_plain_integer_arithmetic(seed, image, count):
    import zlib

    step = 0x9E3779B97F4A7C15
    origin = mixed((seed * 0x100000001B3 + zlib.crc32(b"stream")) & MASK)
    key = mixed((origin + image * step) & MASK)
    expected = [mixed((key + (k + 1) * step) & MASK) for k in range(count)]
    assert words(seed, [image], "stream", count)[0].tolist() == expected


def test_uniforms_fill_the_unit_interval_evenly():
    draws = uniforms(0, range(20_000), "evenly", 4)
    assert draws.min() >= 0
    assert draws.max() < 1
    shares = np.stack([np.histogram(column, 10, (0, 1))[0] for column in draws.T]) / len(draws)
    assert np.abs(shares - 0.1).max() < 0.01
    assert np.abs(np.corrcoef(draws.T) - np.eye(4)).max() < 0.03


def test_streams_seeds_and_ids_are_unrelated():
    a = uniforms(0, range(5000), "a", 1)[:, 0]
    for other in (
        uniforms(0, range(5000), "b", 1),
        uniforms(1, range(5000), "a", 1),
        uniforms(0, range(1, 5001), "a", 1),
    ):
        assert abs(np.corrcoef(a, other[:, 0])[0, 1]) < 0.05


def test_integers_stay_below_their_bounds_and_reach_them():
    draws = integers(3, range(2000), "bounds", [1, 2, 7])
    assert draws.min(0).tolist() == [0, 0, 0]
    assert draws.max(0).tolist() == [0, 1, 6]


@given(st.integers(0, 1000), st.integers(0, 30))
def test_a_permutation_holds_every_number_once(seed, length):
    assert sorted(permutation(seed, "order", length)) == list(range(length))
