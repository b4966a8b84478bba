"""Floors and ceiling of part deletion: maps in which all pixels of a part have one value."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, cast

import torch
from jaxtyping import Float, Int16
from torch import Generator, Tensor

from xbench import (
    Artefacts,
    Batch,
    ClassifierWeights,
    Explainer,
    Given,
    ImageSet,
    Network,
    PartMasks,
    Recipe,
    Role,
    annotated,
)
from xbench_saliency.kernels.parts import part_areas, part_map
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.maps.targets import Against, Explained, Target, explained
from xbench_saliency.part_deletion.effects import PartEffects, stacked_logits
from xbench_saliency.part_deletion.interventions import (
    Intervention,
    PartInterventions,
    known_source,
)
from xbench_saliency.part_deletion.part_means import PartMeans, mean_drops

MEANS = "part-means"
"""What the artefact of mean drops is called."""


@dataclass(frozen=True)
class PartArea(Explainer):
    """The larger a part, the more it says for the class: each pixel has its part's area."""

    name: ClassVar[str] = "part-area"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap
    role: ClassVar[Role] = "floor"

    target: Target = "predicted"
    """Which class is explained: the most probable one, the image's label, or that of a number."""

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[SaliencyMap]:
        """Areas as shares of the image, 0 outside all parts; the network only says the class."""
        if not batch.ids:
            return []
        source = known_source(self, batch)
        asked = explained(self.target, "", network.logits(batch.images, batch.ids), batch)
        masks = source.part_masks(batch.ids)
        areas = part_areas(masks, len(annotated(source.dataset, PartMasks).mask_names()))
        return maps_of_parts(masks, (areas / masks[0].numel()).float(), asked)


@dataclass(frozen=True)
class PartMeansFloor(Explainer):
    """Each part has its mean drop over other images: what matters in general, whatever is shown."""

    name: ClassVar[str] = "part-means"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap
    role: ClassVar[Role] = "floor"

    target: Target = "predicted"
    """Which class is explained: the most probable one, the image's label, or that of a number."""
    against: Against = ""
    """Nothing, `runner-up`, or the number of a class with which it is contrasted."""
    of_class: bool = False
    """Whether means are over images of the class that is explained, rather than over all."""
    split: str = ""
    """Whose images they are; "" for those that the classifier is trained on."""
    count: int = 200
    """How many of them, the first ones."""
    intervention: Intervention = "removal"
    draws: int = 4
    minimum_pixels: int = 10

    def artefacts(
        self, weights: ClassifierWeights, datasets: Mapping[str, ImageSet]
    ) -> Mapping[str, Recipe]:
        """The mean drops of these weights."""
        images = datasets["train"]
        if self.split:
            images = replace(images, split=self.split, part=None)
        classifier = weights.required_plan.classifier
        interventions = PartInterventions(self.intervention, self.draws, self.minimum_pixels)
        return {MEANS: PartMeans(weights, classifier, images, self.count, interventions)}

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[SaliencyMap]:
        """Mean drops, 0 outside all parts; the network only says the class."""
        if not batch.ids:
            return []
        source = known_source(self, batch)
        logits = network.logits(batch.images, batch.ids)
        asked = explained(self.target, self.against, logits, batch)
        drops = [
            mean_drops(artefacts[MEANS], label, against, of_class=self.of_class)
            for label, against in pairs(asked)
        ]
        return maps_of_parts(source.part_masks(batch.ids), torch.stack(drops).float(), asked)


@dataclass(frozen=True)
class PartDrops(Explainer):
    """The ceiling of `part-deletion`: each part has its own drop in this very image.

    Its parameters must be those of the protocol. Its headline score is 1 by construction.
    """

    name: ClassVar[str] = "part-drops"
    makes: ClassVar[type[SaliencyMap]] = SaliencyMap
    role: ClassVar[Role] = "ceiling"
    kept: ClassVar[bool] = False

    target: Target = "predicted"
    """Which class is explained: the most probable one, the image's label, or that of a number."""
    against: Against = ""
    """Nothing, `runner-up`, or the number of a class with which it is contrasted."""
    intervention: Intervention = "removal"
    draws: int = 4
    minimum_pixels: int = 10

    def builds_on(self) -> Mapping[str, Explainer]:
        """The interventions that the protocol asks for as well."""
        made = PartInterventions(self.intervention, self.draws, self.minimum_pixels)
        return {"interventions": made}

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[SaliencyMap]:
        """Drops, 0 outside the parts that were taken away; no network is needed."""
        if not batch.ids:
            return []
        source = known_source(self, batch)
        effects = cast("list[PartEffects]", list(given["interventions"]))
        logits = stacked_logits(effects).to(batch.images.device)
        asked = explained(self.target, self.against, logits, batch)
        count = len(annotated(source.dataset, PartMasks).mask_names())
        drops = torch.zeros(len(effects), count)
        for place, (of_image, classes) in enumerate(zip(effects, pairs(asked), strict=True)):
            drops[place, of_image.parts] = of_image.drops(*classes)
        return maps_of_parts(source.part_masks(batch.ids), drops, asked)


def pairs(asked: Explained) -> list[tuple[int, int | None]]:
    """The class of each image that is explained, and the one it is contrasted with."""
    classes = asked.classes.tolist()
    others = [None] * len(classes) if asked.against is None else asked.against.tolist()
    return list(zip(classes, others, strict=True))


def maps_of_parts(
    masks: Int16[Tensor, "n h w"], values: Float[Tensor, "n parts"], asked: Explained
) -> list[SaliencyMap]:
    """Maps that have one value for each part of an image."""
    size = (masks.shape[-2], masks.shape[-1])
    shares = asked.probabilities.tolist()
    of_images = zip(masks, values, pairs(asked), shares, strict=True)
    return [
        SaliencyMap(part_map(mask, own), label, share, size, None, against)
        for mask, own, (label, against), share in of_images
    ]
