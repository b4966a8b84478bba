"""The mean of several similarities."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from xbench import Dataset, ParameterError, Similarity, checked_similarity, normalised_similarity


@dataclass(frozen=True)
class MeanSimilarity(Similarity):
    """The mean of similarities whose rows are made to sum to 1 first."""

    name: ClassVar[str] = "mean"
    example = MappingProxyType({"of": ("hierarchy",)})

    of: tuple[Similarity, ...]

    def __post_init__(self) -> None:
        """Refuse a mean of nothing."""
        if not self.of:
            raise ParameterError("similarity 'mean': name at least one similarity in of=[…]")

    def matrix(self, dataset: Dataset) -> Float64[Tensor, "classes classes"]:
        """Rows sum to 1."""
        names = dataset.class_names()
        parts = [
            normalised_similarity(
                checked_similarity(
                    similarity.matrix(dataset), names, f"similarity {similarity.name!r}"
                )
            )
            for similarity in self.of
        ]
        return torch.stack(parts).mean(0)

    def labels_needed(self, dataset: Dataset) -> int:
        """What all of them need together."""
        return sum(similarity.labels_needed(dataset) for similarity in self.of)
