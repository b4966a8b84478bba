"""Interventions: images in which parts are taken away or look otherwise, seen by a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Generator, Tensor, nn

from xbench import (
    Annotation,
    Artefacts,
    Batch,
    Explainer,
    Given,
    ImageSet,
    MismatchError,
    Network,
    ParameterError,
    PartMasks,
    PartRedraws,
    PartRemovals,
    annotated,
)
from xbench_saliency.kernels.parts import part_areas
from xbench_saliency.part_deletion.effects import PartEffects

Intervention = Literal["removal", "redraw"]
"""Parts are taken away, or get values drawn from the mixture of all classes."""


def kinds_needed(intervention: Intervention) -> tuple[type[Annotation], ...]:
    """The annotation kinds that a dataset needs for it."""
    return PartMasks, PartRemovals if intervention == "removal" else PartRedraws


def changed_images(
    source: ImageSet,
    ids: Sequence[int],
    parts: Bool[Tensor, "n parts"],
    intervention: Intervention,
    draw: int = 0,
) -> Float[Tensor, "n 3 h w"]:
    """The images, each with the marked parts taken away or redrawn, through the set's transform."""
    if intervention == "removal":
        images = annotated(source.dataset, PartRemovals).images_without(ids, parts)
    else:
        images = annotated(source.dataset, PartRedraws).images_redrawn(ids, parts, draw)
    return torch.stack([source.transform.image(image) for image in images])


def known_source(explainer: Explainer, batch: Batch) -> ImageSet:
    """Where the images come from, or `MismatchError` if no dataset knows their parts."""
    if batch.source is not None and isinstance(batch.source.dataset, PartMasks):
        return batch.source
    named = "images from elsewhere have none"
    if batch.source is not None:
        named = f"dataset {batch.source.dataset.name!r} has none; --dataset toybirds does"
    raise MismatchError(f"explainer {explainer.name!r} needs images with part masks, and {named}")


@dataclass(frozen=True)
class PartInterventions(Explainer):
    """What becomes of an image's logits when each of its parts is taken away, one at a time.

    It is what `part-deletion` compares maps with. Only parts of at least `minimum_pixels` pixels
    are touched.
    """

    name: ClassVar[str] = "part-interventions"
    makes: ClassVar[type[PartEffects]] = PartEffects

    intervention: Intervention = "removal"
    """Whether parts are taken away, or get values drawn from the mixture of all classes."""
    draws: int = 4
    """Of `redraw`: how many independent draws are averaged."""
    minimum_pixels: int = 10
    """How many pixels of a part must show, in the image as the network sees it."""

    def __post_init__(self) -> None:
        """Refuse impossible numbers."""
        for field in ("draws", "minimum_pixels"):
            if getattr(self, field) < 1:
                raise ParameterError(f"{field} is {getattr(self, field)}; it must be at least 1")

    @property
    def draws_made(self) -> int:
        """One where nothing is random."""
        return self.draws if self.intervention == "redraw" else 1

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[PartEffects]:
        """One for each image; what is drawn is the dataset's to draw."""
        if not batch.ids:
            return []
        source = known_source(self, batch)
        names = annotated(source.dataset, PartMasks).mask_names()
        areas = part_areas(source.part_masks(batch.ids), len(names))
        logits = network.logits(batch.images, batch.ids).float().cpu()
        changed = self._changed(network, source, batch.ids, areas >= self.minimum_pixels)
        effects = []
        for place, of_image in enumerate(areas):
            parts = (of_image >= self.minimum_pixels).nonzero()[:, 0]
            own = changed[:, place, parts]
            effects.append(PartEffects(logits[place], own, parts, of_image[parts]))
        return effects

    def _changed(
        self, network: Network, source: ImageSet, ids: Sequence[int], asked: Bool[Tensor, "n parts"]
    ) -> Float32[Tensor, "draws n parts classes"]:
        """The logits without each part that is asked for; NaN for those that are not."""
        logits = torch.full((self.draws_made, *asked.shape, network.classes), torch.nan)
        # image by image, so that a dataset can draw what its variants share once
        for pairs in torch.split(asked.nonzero(), len(ids)):
            places, parts = pairs.T
            own = [ids[place] for place in places.tolist()]
            only = nn.functional.one_hot(parts, asked.shape[1]).bool()
            for draw in range(self.draws_made):
                images = changed_images(source, own, only, self.intervention, draw)
                of_draw = network.logits(images.to(network.device), own)
                logits[draw, places, parts] = of_draw.float().cpu()
        return logits


@dataclass(frozen=True, eq=False)
class ChangedImages:
    """Images of a set in which any parts are changed at once, and the network that sees them."""

    network: Network
    source: ImageSet
    intervention: Intervention
    batch_size: int

    def logits(
        self, ids: Sequence[int], sets: Bool[Tensor, "n s parts"]
    ) -> Float32[Tensor, "n s classes"]:
        """Of each image with each of its sets of parts changed; equal sets are drawn once."""
        count, of_image, _ = sets.shape
        places = torch.arange(count).repeat_interleave(of_image)
        every = torch.cat([places[:, None], sets.flatten(0, 1).long()], dim=1)
        different, back = torch.unique(every, dim=0, return_inverse=True)
        logits = [torch.zeros(0, self.network.classes)]
        logits += [self._logits(ids, chunk) for chunk in different.split(self.batch_size)]
        return torch.cat(logits)[back].view(count, of_image, self.network.classes)

    def _logits(
        self, ids: Sequence[int], chunk: Int64[Tensor, "n columns"]
    ) -> Float32[Tensor, "n classes"]:
        """Their places among `ids` are in the first column, their changed parts behind it."""
        own = [ids[place] for place in chunk[:, 0].tolist()]
        images = changed_images(self.source, own, chunk[:, 1:].bool(), self.intervention)
        return self.network.logits(images.to(self.network.device), own).float().cpu()
