"""Saliency maps: where in an image what speaks for a class lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from jaxtyping import Float
from torch import Tensor

from xbench import Batch, Explanation, ImageSet
from xbench.kernels import resized_maps


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

    def at_image_size(self) -> Float[Tensor, "height width"]:
        """The values at the image's resolution, bilinear."""
        return resized_maps(self.values, self.size)

    def tensors(self) -> Mapping[str, Tensor]:
        """`values`, `label`, `probability` and `size`; and `raw`, where it is kept."""
        return {
            **({} if self.raw is None else {"raw": self.raw}),
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
        return cls(tensors["values"], label, probability, (height, width), tensors.get("raw"))

    def draw(self, batch: Batch, examples: ImageSet | None, class_names: tuple[str, ...]) -> Any:
        """The image, and the map on it; no examples are shown."""
        from xbench_saliency.map_figure import map_figure

        return map_figure(self, batch, class_names)
