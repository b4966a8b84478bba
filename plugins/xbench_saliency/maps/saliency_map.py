"""Saliency maps: where in an image what speaks for a class lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from jaxtyping import Float
from torch import Tensor

from xbench import Batch, Explanation, ImageSet, Look
from xbench.kernels import resized_maps

FULL = 0.99
"""The quantile of a map's sizes from which people who see it without words see full colour."""


@dataclass(frozen=True, eq=False)
class SaliencyMap(Explanation):
    """How much each location of one image speaks for one class; against it where negative."""

    name: ClassVar[str] = "saliency-map"

    values: Float[Tensor, "h w"]
    """At the resolution at which they were computed, in the explainer's own unit."""
    label: int
    """The class that the map speaks for."""
    probability: float
    """That the network gives this class."""
    size: tuple[int, int]
    """Height and width of the image."""
    raw: Float[Tensor, "d height2 width2"] | None = None
    """What the values were made of, channel by channel, where that is kept."""
    against: int | None = None
    """The class that `label` is contrasted with: what is explained is the difference of logits."""

    def at_image_size(self) -> Float[Tensor, "height width"]:
        """The values at the image's resolution, bilinear."""
        return resized_maps(self.values, self.size)

    def tensors(self) -> Mapping[str, Tensor]:
        """`values`, `label`, `probability` and `size`; `raw` and `against`, where they are."""
        return {
            **({} if self.raw is None else {"raw": self.raw}),
            **({} if self.against is None else {"against": torch.tensor(self.against)}),
            "values": self.values,
            "label": torch.tensor(self.label),
            "probability": torch.tensor(self.probability, dtype=torch.float64),
            "size": torch.tensor(self.size),
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The map whose `tensors` these are."""
        height, width = tensors["size"].tolist()
        label, probability = int(tensors["label"]), float(tensors["probability"])
        values, raw, size = tensors["values"], tensors.get("raw"), (height, width)
        against = int(tensors["against"]) if "against" in tensors else None
        return cls(values, label, probability, size, raw, against)

    def draw(self, batch: Batch, examples: ImageSet | None, class_names: tuple[str, ...]) -> Any:
        """The image, and the map on it; no examples are shown."""
        from xbench_saliency.maps.map_figure import map_figure

        return map_figure(self, batch, class_names)

    def wordless(
        self, image: Float[Tensor, "3 h w"], look: Look = "overlay"
    ) -> Float[Tensor, "3 height width"]:
        """The map laid on the image in colours, or the image darkened where the map is low.

        An overlay has its full colour from the quantile `FULL` of the map's sizes on: a few large
        values of SmoothGrad would hide all others. In the look "mask" the largest value leaves a
        pixel as it is, and 0, or what speaks against the class, turns it black.
        """
        from xbench_saliency.kernels.maps import scaled
        from xbench_saliency.maps.map_figure import clipped, overlaid

        if look == "overlay":
            return overlaid(clipped(self, FULL), image)
        return image * scaled(self.at_image_size().clamp(min=0)).to(image)
