"""The ceiling: insecurities whose regions know the ground truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool
from torch import Generator, Tensor

from xbench import (
    Artefacts,
    Batch,
    ClassifierWeights,
    Difficulty,
    Explainer,
    Given,
    ImageSet,
    MismatchError,
    Network,
    Recipe,
    Role,
)
from xbench_deliberative.explanations.insecurities import Insecurities
from xbench_deliberative.kernels.regions import region_sizes
from xbench_deliberative.kernels.saliency import known_masks_map, known_parts_maps
from xbench_deliberative.protocol.floors import given_insecurities, with_maps
from xbench_deliberative.protocol.ground_truth import Definition, GroundTruth, by_mask_name
from xbench_deliberative.protocol.summary import REPORTED


@dataclass(frozen=True)
class KnownParts(Explainer):
    """The pairs of another explainer, each with the region of the parts that are ambiguous.

    Its precision and recall on part points are 1 wherever the area allows it, its IoU with a
    union of masks the largest there can be; with `overlap = largest` the largest there can be
    for one part, the best at the coverages that are reported. Its ground truth, and what parts
    are, must be as in the protocol.
    """

    name: ClassVar[str] = "known-parts"
    makes: ClassVar[type[Insecurities]] = Insecurities
    role: ClassVar[Role] = "ceiling"
    kept: ClassVar[bool] = False

    of: Explainer
    ground_truth: Definition = "paper"
    smoothing: float = 1.0
    share: float = 0.2
    likelihood_ratio: float = 0.5
    presence_threshold: float = 0.3
    parts: Literal["points", "masks"] = "points"
    overlap: Literal["largest", "union"] = "largest"

    def __post_init__(self) -> None:
        """Refuse a ground truth that is not defined."""
        self.truth()

    def truth(self) -> GroundTruth:
        """The ground truth it knows."""
        return GroundTruth(
            self.ground_truth,
            self.smoothing,
            self.share,
            self.likelihood_ratio,
            self.presence_threshold,
        )

    def companion(self) -> Difficulty | None:
        """That of the other explainer."""
        return self.of.companion()

    def artefacts(
        self, weights: ClassifierWeights, datasets: Mapping[str, ImageSet]
    ) -> Mapping[str, Recipe]:
        """The ground truth of the test images, and what the other explainer needs."""
        others = self.of.artefacts(weights, datasets)
        return {**others, **self.truth().recipes(datasets["test"].dataset)}

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[Insecurities]:
        """The other's insecurities with maps that know the parts in place of their own."""
        if batch.source is None:
            raise MismatchError(
                f"explainer 'known-parts' needs images of a dataset with part {self.parts}; "
                "images from elsewhere have none"
            )
        source, points = batch.source, self.parts == "points"
        others = given_insecurities(self, self.of, given)
        places = source.part_points(batch.ids) if points else source.part_masks(batch.ids)
        make = self._around_points if points else self._on_masks
        insecurities = []
        for of_image, image, place in zip(others, batch.ids, places, strict=True):
            ambiguous = self.truth().ambiguous(source.dataset, artefacts, image, of_image.pairs)
            maps = make(place, ambiguous, of_image.size, source)
            insecurities.append(
                with_maps(of_image, torch.stack(maps) if maps else torch.zeros(0, *of_image.size))
            )
        return insecurities

    def _around_points(
        self,
        points: Tensor,
        ambiguous: Bool[Tensor, "q parts"],
        size: tuple[int, int],
        source: ImageSet,
    ) -> list[Tensor]:
        return known_parts_maps(points, ambiguous, size)

    def _on_masks(
        self,
        mask: Tensor,
        ambiguous: Bool[Tensor, "q parts"],
        size: tuple[int, int],
        source: ImageSet,
    ) -> list[Tensor]:
        sizes = region_sizes([percent / 100 for percent in REPORTED], size[0] * size[1])
        named, union = by_mask_name(ambiguous, source.dataset), self.overlap == "union"
        return [known_masks_map(mask, parts, sizes, union=union) for parts in named]
