"""Similarities from the tree that a dataset has above its classes."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float64
from torch import Tensor

from xbench import Dataset, Similarity
from xbench_explicable.similarities.class_tree import class_tree


@dataclass(frozen=True)
class HierarchyPaths(Similarity):
    """How near classes are in the dataset's own hierarchy: 1 / (1 + steps between them)."""

    name: ClassVar[str] = "hierarchy"

    def matrix(self, dataset: Dataset) -> Float64[Tensor, "classes classes"]:
        """1 on the diagonal, 1/3 for siblings. `MismatchError` without a hierarchy."""
        return 1 / (1 + class_tree(dataset, "dataset").path_lengths())
