"""Splits: which ids each of them has, and the class that an id shows."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from xbench import DatasetError, UnknownNameError
from xbench_toybirds.hashing import permutation
from xbench_toybirds.world import CLASSES

SPAN = 1_000_000
"""Ids of the k-th split start at k × SPAN, so that sizes do not change what an id shows."""

SPLITS = ("train", "validation", "test", "shifted")
REDRAWN = ("test", "shifted")
"""Splits of which there are fresh images."""


@dataclass(frozen=True)
class Splits:
    """The ids of all splits."""

    sizes: tuple[int, ...]
    """Of each of `SPLITS`."""
    fresh_seed: int
    """Draws other ids for those of `REDRAWN`; 0 for those that everybody has."""

    def ids(self, split: str) -> Sequence[int]:
        """Ids of a split's images; every run of 20 holds each class once."""
        if split not in SPLITS:
            raise UnknownNameError("split of toybirds", split, SPLITS)
        place = SPLITS.index(split)
        start, size = place * SPAN, self.sizes[place]
        if self._is_redrawn(split):
            return [start + rank for rank in _fresh_ranks(self.fresh_seed, split, size)]
        return range(start, start + size)

    def checked(self, ids: Sequence[int]) -> Int64[np.ndarray, " n"]:
        """The ids; one that no split has is refused."""
        image_ids = np.asarray(ids, dtype=np.int64).reshape(-1)
        split, rank = np.divmod(image_ids, SPAN)
        known = np.zeros(image_ids.shape, bool)
        for place in range(len(SPLITS)):
            known |= (split == place) & self._has(place, rank)
        if not known.all():
            stranger = int(image_ids[~known][0])
            raise DatasetError(
                f"dataset 'toybirds' has no image {stranger}; "
                f"`ids(split)` lists those of {', '.join(SPLITS)}."
            )
        return image_ids

    def _has(self, place: int, ranks: Int64[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Which images of a span are of its split."""
        split, size = SPLITS[place], self.sizes[place]
        if self._is_redrawn(split):
            return np.isin(ranks, _fresh_ranks(self.fresh_seed, split, size))
        return ranks < size

    def _is_redrawn(self, split: str) -> bool:
        return bool(self.fresh_seed) and split in REDRAWN


def are_of(ids: Int64[np.ndarray, " n"], *splits: str) -> Bool[np.ndarray, " n"]:
    """Whether each id is of one of these splits."""
    return np.isin(ids // SPAN, [SPLITS.index(split) for split in splits])


def labels_of(ids: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    """The class that each id shows."""
    return ids % SPAN % len(CLASSES)


def whole(size: int) -> int:
    """So many images as whole runs of all classes have."""
    return -(-size // len(CLASSES)) * len(CLASSES)


@functools.lru_cache(maxsize=8)
def _fresh_ranks(seed: int, split: str, size: int) -> tuple[int, ...]:
    """Places of other images in a span than the first `size`: runs of one image of each class."""
    runs, taken = SPAN // len(CLASSES), whole(size) // len(CLASSES)
    order = permutation(seed, f"fresh {split}", runs - taken)
    starts = sorted((taken + run) * len(CLASSES) for run in order[:taken])
    return tuple(start + place for start in starts for place in range(len(CLASSES)))[:size]
