"""Part means: how much each part matters on average, whatever the image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float64
from torch import Tensor

from xbench import (
    Artefact,
    Artefacts,
    Classifier,
    ClassifierWeights,
    ImageSet,
    PartMasks,
    Recipe,
    Workplace,
    annotated,
    generator,
)
from xbench_saliency.part_deletion.effects import PartEffects
from xbench_saliency.part_deletion.interventions import PartInterventions


@dataclass(frozen=True)
class PartMeans(Recipe):
    """Mean drops of all logits with each part, over the first images of a set.

    Apart for images of each predicted class: how a class's logit falls with a part where it is
    the one that is predicted.
    """

    kind: ClassVar[str] = "part-means"
    not_in_key: ClassVar[tuple[str, ...]] = ("weights", "classifier")

    weights: ClassifierWeights
    classifier: Classifier
    images: ImageSet
    count: int
    interventions: PartInterventions

    def needs(self) -> Mapping[str, Recipe]:
        """The weights."""
        return {"weights": self.weights}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """`sums` (predicted classes, parts, classes) and `counts` (predicted classes, parts)."""
        network = workplace.network(self.classifier, needs["weights"])
        parts = len(annotated(self.images.dataset, PartMasks).mask_names())
        sums = torch.zeros(network.classes, parts, network.classes, dtype=torch.float64)
        counts = torch.zeros(network.classes, parts, dtype=torch.float64)
        ids = self.images.ids()[: self.count]
        for start in range(0, len(ids), workplace.batch_size):
            batch = self.images.batch(ids[start : start + workplace.batch_size])
            on_device = batch.to(workplace.device)
            # nothing is drawn here: what is random is the dataset's, by image and draw
            for effects in self.interventions.explain(
                network, on_device, {}, generator("none"), {}
            ):
                _add(effects, sums, counts)
            workplace.progress.update("parts taken away", start + len(batch.ids), len(ids))
        return Artefact(self.key, {"sums": sums, "counts": counts}, {"images": len(ids)})


def _add(effects: PartEffects, sums: Tensor, counts: Tensor) -> None:
    predicted = int(effects.logits.argmax())
    sums[predicted, effects.parts] += (effects.logits - effects.changed).double().mean(0)
    counts[predicted, effects.parts] += 1


def mean_drops(
    means: Artefact, label: int, against: int | None, *, of_class: bool
) -> Float64[Tensor, " parts"]:
    """The mean drop of what is explained with each part; 0 for a part that was never seen.

    Over all images, each with its own predicted class in the place of `label`; over those alone
    in which `label` is predicted where `of_class` says so and there are any, or for a contrast.
    """
    sums, counts = means.tensors["sums"], means.tensors["counts"]
    if against is not None:
        return (sums[label, :, label] - sums[label, :, against]) / counts[label].clamp(min=1)
    if of_class and counts[label].any():
        return sums[label, :, label] / counts[label].clamp(min=1)
    every = torch.arange(len(sums))
    return sums[every, :, every].sum(0) / counts.sum(0).clamp(min=1)
