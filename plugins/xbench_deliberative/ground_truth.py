"""Ground truth: which parts are ambiguous between which classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from xbench.annotation import (
    ClassAttributes,
    IdealObserver,
    PartAttribute,
    PartMasks,
    PartPoints,
)
from xbench.artefact import Artefact, Artefacts, Recipe
from xbench.component import Tree
from xbench.dataset import Dataset, annotated
from xbench.errors import DatasetError, MismatchError
from xbench.executor import Workplace
from xbench_deliberative.kernels import ambiguous_parts as kernels

Definition = Literal["paper", "official", "ideal"]
ARTEFACT = "ambiguous-parts"
"""The name under which components declare the ground truth."""


@dataclass(frozen=True)
class GroundTruth:
    """How ambiguous parts are defined; `paper` and `official` per class, `ideal` per image."""

    definition: Definition
    smoothing: float
    share: float
    likelihood_ratio: float

    def __post_init__(self) -> None:
        """Refuse parameters that leave the ambiguity undefined."""
        if self.definition == "paper" and not self.smoothing > 0:
            raise ValueError(
                f"smoothing must be above 0 percentage points, not {self.smoothing}: without it "
                "attribute values that a class never shows have no divergence"
            )
        if not 0 < self.share <= 1:
            raise ValueError(f"share must lie above 0 and not above 1, got {self.share}")
        if not 0 < self.likelihood_ratio <= 1:
            ratio = self.likelihood_ratio
            raise ValueError(f"likelihood_ratio must lie above 0 and not above 1, got {ratio}")

    def recipes(self, dataset: Dataset) -> Mapping[str, Recipe]:
        """What must be made before `ambiguous` can be asked; nothing for `ideal`."""
        if self.definition == "ideal":
            return {}
        smoothing = self.smoothing if self.definition == "paper" else 0.0
        return {ARTEFACT: AmbiguousParts(dataset, self.definition, smoothing, self.share)}

    def ambiguous(
        self, dataset: Dataset, artefacts: Artefacts, image: int, pairs: Int64[Tensor, "q 2"]
    ) -> Bool[Tensor, "q parts"]:
        """Whether each part is ambiguous between the classes of each pair, in this image."""
        if self.definition == "ideal":
            likelihoods = annotated(dataset, IdealObserver).part_likelihoods([image])[0]
            a, b = likelihoods[:, pairs[:, 0]].T, likelihoods[:, pairs[:, 1]].T
            return kernels.likelihood_ambiguity(a, b) >= self.likelihood_ratio
        table = artefacts[ARTEFACT].tensors["ambiguous"]
        return table[:, pairs[:, 0], pairs[:, 1]].T


@dataclass(frozen=True)
class AmbiguousParts(Recipe):
    """The table of all triplets (part, class, class) that count as ambiguous."""

    kind: ClassVar[str] = "ambiguous-parts"

    dataset: Dataset
    definition: Literal["paper", "official"]
    smoothing: float
    share: float

    def tree(self) -> Tree:
        """The dataset's fingerprint, the definition and its parameters."""
        return {
            "dataset": self.dataset.fingerprint(),
            "definition": self.definition,
            "smoothing": self.smoothing,
            "share": self.share,
        }

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """The table as `ambiguous` (parts, classes, classes), with what can be said of it."""
        del needs, workplace
        found = self.triplets()
        return Artefact(self.key, {"ambiguous": found.kept}, facts(found))

    def triplets(self) -> kernels.Strongest:
        """The triplets that are kept, and the strength or divergence of the last one."""
        attributes = annotated(self.dataset, ClassAttributes).class_attributes()
        parts = len(annotated_parts(self.dataset))
        if self.definition == "official":
            return kernels.lowest_triplets(official_divergences(attributes, parts), self.share)
        strengths = paper_strengths(attributes, parts, self.smoothing)
        return kernels.strongest_triplets(strengths, self.share)


def paper_strengths(
    attributes: tuple[PartAttribute, ...], parts: int, smoothing: float
) -> Float64[Tensor, "parts classes classes"]:
    """α of section 5.1: exp(−symmetric divergence), averaged over a part's attributes."""
    tables = [
        kernels.ambiguity_strength(kernels.smoothed(attribute.frequencies, smoothing))
        for attribute in attributes
    ]
    return _averaged(tables, attributes, parts)


def official_divergences(
    attributes: tuple[PartAttribute, ...], parts: int
) -> Float64[Tensor, "parts classes classes"]:
    """2·JS of the softmax over raw percentages, averaged over a part's attributes."""
    tables = [
        kernels.doubled_jensen_shannon(attribute.frequencies.softmax(1)) for attribute in attributes
    ]
    return _averaged(tables, attributes, parts)


def _averaged(
    tables: list[Float64[Tensor, "classes classes"]],
    attributes: tuple[PartAttribute, ...],
    parts: int,
) -> Float64[Tensor, "parts classes classes"]:
    """The mean table of each part; NaN for a part without attributes."""
    if not tables:
        raise DatasetError("the dataset lists no class attributes, so no part can be ambiguous")
    total = torch.zeros(parts, *tables[0].shape, dtype=torch.float64)
    count = torch.zeros(parts, 1, 1, dtype=torch.float64)
    for table, attribute in zip(tables, attributes, strict=True):
        total[attribute.part] += table
        count[attribute.part] += 1
    return total / count


def annotated_parts(dataset: Dataset) -> tuple[str, ...]:
    """Names of the parts that class attributes speak of by index."""
    if isinstance(dataset, PartPoints):
        return dataset.part_names()
    if isinstance(dataset, PartMasks):
        return dataset.mask_names()
    raise MismatchError(
        f"dataset {dataset.name!r} has neither part points nor part masks, "
        "so its class attributes speak of no parts"
    )


def facts(found: kernels.Strongest) -> Tree:
    """The threshold, the mean number of ambiguous parts of a pair, the share with none."""
    parts, classes, _ = found.kept.shape
    a, b = torch.triu_indices(classes, classes, offset=1)
    counts = found.kept[:, a, b].sum(0)
    return {
        "threshold": found.threshold,
        "parts_per_pair": float(counts.double().mean()),
        "empty_pairs": float((counts == 0).double().mean()),
        "parts": parts,
        "classes": classes,
    }
