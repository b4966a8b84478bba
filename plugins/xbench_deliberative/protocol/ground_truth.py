"""Ground truth: which parts are ambiguous between which classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from xbench import (
    Artefact,
    Artefacts,
    ClassAttributes,
    Dataset,
    DatasetError,
    IdealObserver,
    MismatchError,
    PartAttribute,
    PartMasks,
    PartPoints,
    Recipe,
    Tree,
    Workplace,
    annotated,
)
from xbench_deliberative.kernels import ambiguous_parts as kernels
from xbench_deliberative.kernels import sparse_triplets

Definition = Literal["paper", "official", "ideal", "presence"]
PERCENT = 100
ARTEFACT = "ambiguous-parts"
"""The name under which components declare the ground truth."""


@dataclass(frozen=True)
class GroundTruth:
    """How ambiguous parts are defined; `ideal` per image, the others per class.

    `paper` and `official` compare distributions over the values of a part's attributes;
    `presence` is for parts of which it is only known how often a class shows them.
    """

    definition: Definition
    smoothing: float
    share: float
    likelihood_ratio: float
    presence_threshold: float = 0.3

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
        if not 0 <= self.presence_threshold < 1:
            threshold = self.presence_threshold
            raise ValueError(f"presence_threshold must lie from 0 to below 1, got {threshold}")

    def recipes(self, dataset: Dataset) -> Mapping[str, Recipe]:
        """What must be made before `ambiguous` can be asked; nothing for `ideal`."""
        if self.definition == "ideal":
            return {}
        if self.definition == "presence":
            return {ARTEFACT: CommonParts(dataset, self.presence_threshold, self.share)}
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
        if self.definition == "presence":
            return common_parts(artefacts[ARTEFACT], pairs)
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

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """The table as `ambiguous` (parts, classes, classes), with what can be said of it."""
        del needs, workplace
        triplets = self.triplets()
        return Artefact(self.key, {"ambiguous": triplets.kept}, facts(triplets))

    def triplets(self) -> kernels.Strongest:
        """The triplets that are kept, and the strength or divergence of the last one."""
        attributes = annotated(self.dataset, ClassAttributes).class_attributes()
        require_distributions(self.dataset, attributes, self.definition)
        parts = len(annotated_parts(self.dataset))
        if self.definition == "official":
            return kernels.lowest_triplets(official_divergences(attributes, parts), self.share)
        strengths = paper_strengths(attributes, parts, self.smoothing)
        return kernels.strongest_triplets(strengths, self.share)


@dataclass(frozen=True)
class CommonParts(Recipe):
    """The list of triplets (part, class, class) of parts that both classes show often."""

    kind: ClassVar[str] = "ambiguous-parts"

    dataset: Dataset
    threshold: float
    share: float

    def tree(self) -> Tree:
        """The dataset, the definition and its parameters."""
        return {**super().tree(), "definition": "presence"}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """The triplets as `parts` and `pairs`, ordered by pair; never parts × classes²."""
        del needs, workplace
        phi = occurrences(self.dataset)
        triplets = sparse_triplets.strongest_occurrences(phi, self.threshold, self.share)
        tensors = {"parts": triplets.parts.int(), "pairs": triplets.pairs}
        return Artefact(self.key, tensors, sparse_facts(triplets, *phi.shape))


def common_parts(made: Artefact, pairs: Int64[Tensor, "q 2"]) -> Bool[Tensor, "q parts"]:
    """What a `CommonParts` artefact says of these pairs."""
    parts, listed = made.tensors["parts"].long(), made.tensors["pairs"]
    counts = made.facts["classes"], made.facts["parts"]
    return sparse_triplets.parts_of_pairs(pairs, listed, parts, *counts)


def occurrences(dataset: Dataset) -> Float64[Tensor, "classes parts"]:
    """φ: the share of a class's images that show a part; 0 for parts without an attribute."""
    attributes = annotated(dataset, ClassAttributes).class_attributes()
    names = annotated_parts(dataset)
    if not attributes:
        raise DatasetError("the dataset lists no class attributes, so no part can be ambiguous")
    phi = torch.zeros(len(attributes[0].frequencies), len(names), dtype=torch.float64)
    seen: set[int] = set()
    for part, name, values, frequencies in attributes:
        if len(values) != 1 or part in seen:
            raise MismatchError(
                f"ground truth 'presence' needs one attribute with one value for each part;"
                f" dataset {dataset.name!r} has {name!r} with {len(values)} values for part"
                f" {names[part]!r}. Use -p protocol.ground_truth=paper"
            )
        seen.add(part)
        phi[:, part] = frequencies[:, 0] / PERCENT
    return phi


def require_distributions(
    dataset: Dataset, attributes: tuple[PartAttribute, ...], definition: str
) -> None:
    """`MismatchError` where an attribute has one value: all its distributions are equal."""
    for part, name, values, _ in attributes:
        if len(values) == 1:
            raise MismatchError(
                f"ground truth {definition!r} compares distributions over an attribute's values;"
                f" dataset {dataset.name!r} has one value for {name!r} of part"
                f" {annotated_parts(dataset)[part]!r}. Use -p protocol.ground_truth=presence"
            )


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


def by_mask_name(table: Bool[Tensor, "q parts"], dataset: Dataset) -> Bool[Tensor, "q masks"]:
    """Ambiguity of the parts that label maps speak of, matched by name; others have none."""
    named = {name: place for place, name in enumerate(annotated_parts(dataset))}
    names = annotated(dataset, PartMasks).mask_names()
    matched = torch.zeros(len(table), len(names), dtype=torch.bool)
    for place, name in enumerate(names):
        if name in named:
            matched[:, place] = table[:, named[name]]
    return matched


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


def sparse_facts(found: sparse_triplets.SparseTriplets, classes: int, parts: int) -> Tree:
    """As `facts`, and how many triplets are kept of how many."""
    pairs = classes * (classes - 1) // 2
    return {
        "threshold": found.threshold if len(found.parts) else None,
        "parts_per_pair": len(found.parts) / max(pairs, 1),
        "empty_pairs": 1 - len(torch.unique_consecutive(found.pairs)) / max(pairs, 1),
        "parts": parts,
        "classes": classes,
        "triplets": len(found.parts),
        "triplets_altogether": found.counted,
    }
