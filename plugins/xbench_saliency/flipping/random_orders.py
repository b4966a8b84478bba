"""Random orders of an image's pixels: what every entry's curves are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from jaxtyping import Float, Float32, Float64
from torch import Generator, Tensor

from xbench import Artefacts, Batch, Explainer, Explanation, Given, ImageSet, Network
from xbench_saliency.flipping.edits import EditedImage, Editing
from xbench_saliency.maps.passes import PIXELS


@dataclass(frozen=True, eq=False)
class RandomCurves(Explanation):
    """Logits and probabilities of all classes while pixels go in random orders, on average."""

    name: ClassVar[str] = "random-pixel-orders"

    logits: Float32[Tensor, "2 points classes"]
    """Of deletion, then of insertion."""
    probabilities: Float32[Tensor, "2 points classes"]

    def tensors(self) -> Mapping[str, Tensor]:
        """Both fields."""
        return {"logits": self.logits, "probabilities": self.probabilities}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The curves whose `tensors` these are."""
        return cls(tensors["logits"], tensors["probabilities"])

    def draw(self, batch: Batch, examples: ImageSet | None, class_names: tuple[str, ...]) -> Any:
        """Both curves of the class that is most probable before any pixel goes."""
        from xbench_saliency.flipping.figures import random_figure

        label = int(self.probabilities[0, 0].argmax())
        return random_figure(self.probabilities[..., label].numpy(), class_names[label])


@dataclass(frozen=True)
class RandomOrders(Explainer):
    """Edits each image in random orders of its pixels, those by which ties in maps are broken.

    A constant map has these curves. All entries of a network share them.
    """

    name: ClassVar[str] = "random-pixel-orders"
    makes: ClassVar[type[RandomCurves]] = RandomCurves

    editing: Editing
    seed: int

    def explain(
        self,
        network: Network,
        batch: Batch,
        artefacts: Artefacts,
        generator: Generator,
        given: Given,
    ) -> list[RandomCurves]:
        """The curves of each image; what is random hangs on `seed` and the image's id alone."""
        return [
            self._curves(network, EditedImage(image, image_id, self.seed))
            for image, image_id in zip(batch.images, batch.ids, strict=True)
        ]

    def _curves(self, network: Network, edited: EditedImage) -> RandomCurves:
        def predict(images: Float[Tensor, "e 3 h w"]) -> Float64[Tensor, "e values"]:
            logits = network.logits(images, [edited.id] * len(images)).double()
            return torch.cat([logits, logits.softmax(1)], 1).cpu()

        size = edited.image.shape[1:]
        # edits in one pass: of the image alone, so that values hang on no batch
        most = max(1, PIXELS // size.numel())
        curves = self.editing.curves(predict, edited, torch.zeros(size), most).float()
        return RandomCurves(*(half.contiguous() for half in curves.tensor_split(2, dim=-1)))
