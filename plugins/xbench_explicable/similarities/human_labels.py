"""IHL: similarities from what people took single images for."""

import functools
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from xbench import (
    Dataset,
    HumanLabels,
    ParameterError,
    Similarity,
    annotated,
    checked_similarity,
    normalised_similarity,
)
from xbench_explicable.similarities.matching import places


@dataclass(frozen=True)
class InstanceLevelLabels(Similarity):
    """How often people took images of one class for another, of those judged in a split."""

    name: ClassVar[str] = "ihl"
    example = MappingProxyType({"of": "toybirds"})

    of: Dataset
    """The dataset whose images people labelled; its classes are matched by name."""
    split: str = "test"

    def __post_init__(self) -> None:
        """Refuse a dataset that people did not label."""
        if not isinstance(self.of, HumanLabels):
            raise ParameterError(
                f"similarity 'ihl': dataset {self.of.name!r} has no human labels; "
                "give one that has with of=NAME, such as toybirds, whose annotators are simulated"
            )

    def matrix(self, dataset: Dataset) -> Float64[Tensor, "classes classes"]:
        """Sums of the counts of all images of a true class, rows summing to 1."""
        what = f"similarity 'ihl' of dataset {self.of.name!r}"
        order = places(dataset.class_names(), self.of.class_names(), what)
        return normalised_similarity(
            checked_similarity(self._sums()[order][:, order], dataset.class_names(), what)
        )

    def labels_needed(self, dataset: Dataset) -> int:
        """The number of judgements."""
        return int(self._sums().sum())

    def facts(self, dataset: Dataset) -> dict[str, Any]:
        """How many judgements each class had, and whether people made them."""
        judgements = self._sums().sum(1).long().tolist()
        return {
            "annotators": "simulated" if annotated(self.of, HumanLabels).simulated else "people",
            "judgements": dict(zip(self.of.class_names(), judgements, strict=True)),
        }

    def _sums(self) -> Float64[Tensor, "classes classes"]:
        return _sums(self.of, self.split, self.of.fingerprint())


@functools.lru_cache(maxsize=4)
def _sums(dataset: Dataset, split: str, fingerprint: str) -> Float64[Tensor, "classes classes"]:
    """What people said of a split, by true class; to be read, not written."""
    ids = dataset.ids(split)
    counts = annotated(dataset, HumanLabels).label_counts(ids)
    return summed_counts(counts.long(), dataset.labels(ids))


def summed_counts(
    counts: Int64[Tensor, "n classes"], labels: Int64[Tensor, " n"]
) -> Float64[Tensor, "classes classes"]:
    """The counts of all images of each true class; zeros for a class without images."""
    sums = torch.zeros(counts.shape[1], counts.shape[1], dtype=torch.float64)
    return sums.index_add_(0, labels, counts.double())
