"""Random numbers as integer hashes of what they are for: the same on every machine."""

import zlib
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64, UInt64

_STEP = np.array([0x9E3779B97F4A7C15], dtype=np.uint64)
_FIRST = np.array([0xBF58476D1CE4E5B9], dtype=np.uint64)
_SECOND = np.array([0x94D049BB133111EB], dtype=np.uint64)
_WORD = 0xFFFFFFFFFFFFFFFF


def words(
    seed: int, ids: Int64[np.ndarray, " n"] | Sequence[int], stream: str, count: int
) -> UInt64[np.ndarray, "n count"]:
    """`count` 64-bit words per id, a fixed function of (seed, stream, id, position)."""
    keys = np.asarray(ids, dtype=np.int64).astype(np.uint64)
    origin = np.array([(seed * 0x100000001B3 + zlib.crc32(stream.encode())) & _WORD], np.uint64)
    keys = _mixed(_mixed(origin) + keys * _STEP)
    return _mixed(keys[:, None] + np.arange(1, count + 1, dtype=np.uint64)[None] * _STEP)


def uniforms(
    seed: int, ids: Int64[np.ndarray, " n"] | Sequence[int], stream: str, count: int
) -> Float64[np.ndarray, "n count"]:
    """`count` numbers per id, uniform in [0, 1), multiples of 2⁻⁵³."""
    return (words(seed, ids, stream, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def integers(
    seed: int, ids: Int64[np.ndarray, " n"] | Sequence[int], stream: str, bounds: Sequence[int]
) -> Int64[np.ndarray, "n bounds"]:
    """One integer per id and bound, uniform in [0, bound)."""
    draws = uniforms(seed, ids, stream, len(bounds)) * np.asarray(bounds, dtype=np.float64)
    return draws.astype(np.int64)


def permutation(seed: int, stream: str, length: int) -> list[int]:
    """The numbers below `length` in an order that (seed, stream) decides."""
    keys = words(seed, range(length), stream, 1)[:, 0]
    return [int(i) for i in np.argsort(keys, kind="stable")]


def _mixed(keys: UInt64[np.ndarray, "..."]) -> UInt64[np.ndarray, "..."]:
    # The finaliser of splitmix64: every bit of the key reaches every bit of the word.
    keys = (keys ^ (keys >> np.uint64(30))) * _FIRST
    keys = (keys ^ (keys >> np.uint64(27))) * _SECOND
    return keys ^ (keys >> np.uint64(31))
