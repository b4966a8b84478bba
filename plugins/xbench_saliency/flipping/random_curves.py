"""Curves of random orders: what every entry's curves are compared with, made once for all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from xbench import (
    Artefact,
    Artefacts,
    Classifier,
    ClassifierWeights,
    ImageSet,
    Network,
    Recipe,
    Workplace,
)
from xbench_saliency.flipping.edits import EditedImage, Editing


@dataclass(frozen=True)
class RandomCurves(Recipe):
    """Logits and probabilities of all classes while pixels go in random orders, on average.

    The orders are those by which ties in maps are broken, so a constant map has these curves.
    """

    kind: ClassVar[str] = "random-pixel-orders"
    not_in_key: ClassVar[tuple[str, ...]] = ("weights",)

    images: ImageSet
    ids: tuple[int, ...]
    classifier: Classifier
    weights: ClassifierWeights
    editing: Editing
    seed: int

    def needs(self) -> Mapping[str, Recipe]:
        """The weights."""
        return {"weights": self.weights}

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """`ids`, and `logits` and `probabilities`: image, kind, point, class."""
        network = workplace.network(self.classifier, needs["weights"])
        curves = []
        for count, image_id in enumerate(self.ids, 1):
            curves.append(self._curves(network, image_id, workplace).float())
            workplace.progress.update("random orders of pixels", count, len(self.ids))
        logits, probabilities = torch.stack(curves).tensor_split(2, dim=-1)
        tensors = {"logits": logits.contiguous(), "probabilities": probabilities.contiguous()}
        return Artefact(self.key, {"ids": torch.tensor(self.ids), **tensors})

    def _curves(
        self, network: Network, image_id: int, workplace: Workplace
    ) -> Float64[Tensor, "2 points values"]:
        image = self.images.batch([image_id]).images[0].to(workplace.device)
        constant = torch.zeros(image.shape[1:])

        def predict(images: Float[Tensor, "e 3 h w"]) -> Float64[Tensor, "e values"]:
            logits = network.logits(images, [image_id] * len(images)).double()
            return torch.cat([logits, logits.softmax(1)], 1).cpu()

        edited = EditedImage(image, image_id, self.seed)
        return self.editing.curves(predict, edited, constant, workplace.batch_size)
