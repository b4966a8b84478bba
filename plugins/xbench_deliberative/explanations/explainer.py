"""Deliberative explanations: insecurities from class and difficulty attributions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor

from xbench import (
    Artefacts,
    Attribution,
    Batch,
    ClassifierWeights,
    Difficulty,
    Explainer,
    Given,
    ImageSet,
    Network,
    Readout,
    Recipe,
)
from xbench.kernels import on_grid, resized_maps
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.explanations.insecurities import Insecurities
from xbench_deliberative.kernels import ambiguity
from xbench_deliberative.readouts import ClassLogits, ClassProbabilities, EvaluatedTop, Joined

OFFICIAL_FLOOR = 1e-7


class AttributionMaps(NamedTuple):
    """Attribution maps of the listed classes and of the difficulty, in double precision."""

    classes: Float[Tensor, "n listed h w"]
    difficulty: Float[Tensor, "n 1 h w"]


@runtime_checkable
class HasPositiveGradients(Protocol):
    """An attribution that can be restricted to positive derivatives."""

    def with_positive_gradients(self) -> Attribution:
        """The restricted attribution."""


@dataclass(frozen=True)
class Deliberative(Explainer):
    """Insecurities of the network about an image: section 3 of the paper."""

    name: ClassVar[str] = "deliberative"
    version: ClassVar[str] = "2"
    makes: ClassVar[type[Insecurities]] = Insecurities
    needs_cut: ClassVar[bool] = True

    difficulty: Difficulty
    attribution: Attribution
    """Attributes class and difficulty predictions; under `official` the difficulty alone."""
    preset: Literal["paper", "official"] = "paper"
    """`paper`: softmax probabilities, negative attributions become 0. `official`: class
    logits by gradient × activation, negatives become 1e-7; positive gradients of the difficulty."""
    combination: ambiguity.Combination = "product"
    without_difficulty: bool = False
    """Leave the difficulty map out of eq. (1)."""
    top: int = 5
    """How many of the most probable classes are considered."""
    candidates: int = 3
    """K, the number of candidate classes at a location."""

    def __post_init__(self) -> None:
        """Refuse numbers of classes from which no pair can be formed."""
        for field in ("top", "candidates"):
            if getattr(self, field) < 2:
                given = getattr(self, field)
                raise ValueError(f"{field} must be at least 2 to form pairs, not {given}")

    def companion(self) -> Difficulty | None:
        """That of the difficulty score."""
        return self.difficulty.companion()

    def artefacts(
        self, weights: ClassifierWeights, datasets: Mapping[str, ImageSet]
    ) -> Mapping[str, Recipe]:
        """What the difficulty score needs."""
        return self.difficulty.artefacts(weights)

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[Insecurities]:
        """The insecurities of each image; nothing random in it."""
        top = EvaluatedTop(network.top, network.activations(batch.images))
        logits = network.checked(top.logits.detach(), batch.ids)
        classes = most_probable(logits, self.top)
        maps = self.attribution_maps(network, top, classes, batch, artefacts)
        return self._insecurities(maps, classes, batch)

    def attribution_maps(
        self,
        network: Network,
        top: EvaluatedTop,
        classes: Int64[Tensor, "n top"],
        batch: Batch,
        artefacts: Artefacts,
    ) -> AttributionMaps:
        """m^c of the listed classes and m^s, negative values replaced as the preset says."""
        difficulty = self.difficulty.readout(network, artefacts)
        if self.preset == "official":
            of_classes = Readout(network.bottom, top, ClassLogits(classes))
            class_maps = Gradient().attribute(of_classes, top.point, batch.images).double()
            class_maps = on_grid(class_maps, network.extra_rows)
            positive = positive_gradients(self.attribution)
            difficulty_map = difficulty_maps(positive, difficulty, network, top, batch)
            return AttributionMaps(class_maps.clamp(min=OFFICIAL_FLOOR), difficulty_map)
        link = ClassProbabilities(classes)
        if difficulty.bottom is network.bottom and difficulty.top is network.top:
            joined = Readout(network.bottom, top, Joined((link, difficulty.link)))
            both = self.attribution.attribute(joined, top.point, batch.images)
            both = on_grid(both, network.extra_rows).double().clamp(min=0)
            return AttributionMaps(both[:, :-1], both[:, -1:])
        of_classes = Readout(network.bottom, top, link)
        class_maps = self.attribution.attribute(of_classes, top.point, batch.images)
        class_maps = on_grid(class_maps, network.extra_rows).double().clamp(min=0)
        difficulty_map = difficulty_maps(self.attribution, difficulty, network, top, batch)
        return AttributionMaps(class_maps, difficulty_map)

    def _insecurities(
        self, maps: AttributionMaps, classes: Int64[Tensor, "n top"], batch: Batch
    ) -> list[Insecurities]:
        candidates = ambiguity.candidate_classes(maps.classes, self.candidates)
        difficulty_map = None if self.without_difficulty else maps.difficulty
        pair_maps = ambiguity.ambiguity_maps(maps.classes, difficulty_map, self.combination)
        strengths = pair_maps.mean(dim=(2, 3))
        kept = ambiguity.co_occurring(candidates) & (strengths > 0)
        pairs = classes[:, ambiguity.class_pairs(classes.shape[1], classes.device)]
        size = (batch.images.shape[-2], batch.images.shape[-1])
        parts = (part.cpu() for part in (pair_maps, pairs.sort(2).values, strengths, kept))
        return [ordered(m, p, s, k, size) for m, p, s, k in zip(*parts, strict=True)]


def ordered(
    maps: Float[Tensor, "pairs h w"],
    pairs: Int64[Tensor, "pairs 2"],
    strengths: Float[Tensor, " pairs"],
    kept: Bool[Tensor, " pairs"],
    size: tuple[int, int],
) -> Insecurities:
    """The kept pairs of one image, the strongest first; maps scaled to a maximum of 1."""
    order = strengths.where(kept, -torch.ones_like(strengths))
    order = order.sort(descending=True, stable=True).indices[: int(kept.sum())]
    scaled = ambiguity.scaled_to_one(maps[order]).float()
    return Insecurities(scaled, pairs[order], strengths[order], size)


def difficulty_maps(
    attribution: Attribution,
    difficulty: Readout,
    network: Network,
    top: EvaluatedTop,
    batch: Batch,
) -> Float[Tensor, "n 1 h w"]:
    """m^s without negative values, resampled to the network's grid where it has its own."""
    if difficulty.bottom is network.bottom:
        shared = top if difficulty.top is network.top else difficulty.top
        readout = Readout(difficulty.bottom, shared, difficulty.link)
        maps = attribution.attribute(readout, top.point, batch.images).double().clamp(min=0)
        return on_grid(maps, network.extra_rows)
    with torch.no_grad():
        activations = difficulty.bottom(batch.images)
    maps = attribution.attribute(difficulty, activations, batch.images).double().clamp(min=0)
    height, width = on_grid(top.point, network.extra_rows).shape[-2:]
    return resized_maps(on_grid(maps, difficulty.extra_rows), (height, width))


def positive_gradients(attribution: Attribution) -> Attribution:
    """The attribution restricted to positive derivatives, or itself where it cannot be."""
    if isinstance(attribution, HasPositiveGradients):
        return attribution.with_positive_gradients()
    return attribution


def most_probable(logits: Float[Tensor, "n classes"], count: int) -> Int64[Tensor, "n top"]:
    """The `count` most probable classes of each image, equals in the order of their labels."""
    return logits.sort(dim=1, descending=True, stable=True).indices[:, :count]
