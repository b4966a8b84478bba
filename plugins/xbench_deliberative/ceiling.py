"""The ceiling: insecurities whose regions know the ground truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from xbench.artefact import Artefacts, Recipe
from xbench.classifier import Network
from xbench.dataset import Batch, ImageSet
from xbench.difficulty import Difficulty
from xbench.errors import MismatchError
from xbench.explanation import Explainer
from xbench.training import ClassifierWeights
from xbench_deliberative.floors import insecurities_of, with_maps
from xbench_deliberative.ground_truth import Definition, GroundTruth
from xbench_deliberative.insecurities import Insecurities
from xbench_deliberative.kernels.saliency import known_parts_map


@dataclass(frozen=True)
class KnownParts(Explainer):
    """The pairs of another explainer, each with the region of the parts that are ambiguous.

    Its precision and recall on part points are 1 wherever the area allows it. Its ground
    truth must be that of the protocol.
    """

    name: ClassVar[str] = "known-parts"
    makes: ClassVar[type[Insecurities]] = Insecurities

    of: Explainer
    ground_truth: Definition = "paper"
    smoothing: float = 1.0
    share: float = 0.2
    likelihood_ratio: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a ground truth that is not defined."""
        self.truth()

    def truth(self) -> GroundTruth:
        """The ground truth it knows."""
        return GroundTruth(self.ground_truth, self.smoothing, self.share, self.likelihood_ratio)

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
        self, network: Network, batch: Batch, artefacts: Artefacts, generator: Generator
    ) -> list[Insecurities]:
        """The other's insecurities with signed distances from parts in place of their maps."""
        if batch.source is None:
            raise MismatchError(
                "explainer 'known-parts' needs images of a dataset with part points; "
                "images from elsewhere have none"
            )
        given = insecurities_of(self.of, network, batch, artefacts, generator)
        points = batch.source.part_points(batch.ids)
        return [
            with_maps(one, self._maps(one, image, parts, batch.source, artefacts))
            for one, image, parts in zip(given, batch.ids, points, strict=True)
        ]

    def _maps(
        self,
        given: Insecurities,
        image: int,
        points: Tensor,
        source: ImageSet,
        artefacts: Artefacts,
    ) -> Tensor:
        ambiguous = self.truth().ambiguous(source.dataset, artefacts, image, given.pairs)
        maps = [known_parts_map(points, parts, given.size) for parts in ambiguous]
        return torch.stack(maps) if maps else torch.zeros(0, *given.size)
