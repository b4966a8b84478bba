"""What mistakes are measured by: a similarity of a dataset's classes, and distances in a tree."""

import functools
import hashlib
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float64

from xbench import (
    Dataset,
    MismatchError,
    Similarity,
    Tree,
    checked_similarity,
    fingerprint,
    normalised_similarity,
)
from xbench_explicable.kernels.explicability import Order, order, wrong_class_mean_and_max
from xbench_explicable.similarities.class_tree import class_tree, tree_digests

OptionalHierarchy = Literal["", "dataset", "wordnet"]
"""Where the tree above the classes comes from; "" for none."""


class Yardstick(NamedTuple):
    """Row-normalised similarities of true and predicted classes, and what follows from them."""

    names: tuple[str, ...]
    matrix: Float64[np.ndarray, "classes classes"]
    chance: Float64[np.ndarray, " classes"]
    """Mean similarity of the wrong classes."""
    best: Float64[np.ndarray, " classes"]
    """Similarity of the nearest wrong class."""
    order: Order
    heights: Float64[np.ndarray, "classes classes"]
    """Of the lowest common ancestor; NaN without a tree."""
    height_chance: Float64[np.ndarray, " classes"]


class DistanceTree(NamedTuple):
    """The tree that distances are measured in, and the files that WordNet's is made of."""

    hierarchy: OptionalHierarchy = ""
    synsets: str = ""
    wordnet: str = ""

    def digests(self) -> Tree:
        """A hash of each of these files."""
        return tree_digests(*self)


def yardstick(similarity: Similarity, tree: DistanceTree, dataset: Dataset) -> Yardstick:
    """The yardstick of a dataset's classes; `MismatchError` where there cannot be one."""
    state = fingerprint([similarity.parameters(), tree.digests(), dataset.fingerprint()])
    return _yardstick(similarity, tree, dataset, state)


@functools.lru_cache(maxsize=8)
def _yardstick(
    similarity: Similarity, tree: DistanceTree, dataset: Dataset, state: str
) -> Yardstick:
    """As long as the files that it depends on are in this state."""
    names = dataset.class_names()
    if len(names) < 2:
        raise MismatchError(
            f"dataset {dataset.name!r} has {len(names)} class; mistakes need two or more"
        )
    raw = checked_similarity(similarity.matrix(dataset), names, f"similarity {similarity.name!r}")
    matrix = normalised_similarity(raw.double()).cpu().numpy()
    heights = _heights(tree, dataset)
    chance, best = wrong_class_mean_and_max(matrix)
    return Yardstick(
        names, matrix, chance, best, order(matrix), heights, wrong_class_mean_and_max(heights)[0]
    )


def _heights(tree: DistanceTree, dataset: Dataset) -> Float64[np.ndarray, "classes classes"]:
    hierarchy, synsets, wordnet = tree
    if not hierarchy:
        return np.full((len(dataset.class_names()),) * 2, np.nan)
    return class_tree(dataset, hierarchy, synsets, wordnet).lca_heights().double().numpy()


def short_hash(matrix: Float64[np.ndarray, "classes classes"]) -> str:
    """A hash of the similarities, to twelve digits after the point."""
    rounded = np.round(matrix, 12) + 0.0  # no negative zero
    return hashlib.sha256(rounded.astype("<f8").tobytes()).hexdigest()[:12]
