"""Brightness in place of a map."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Batch
from xbench_saliency.floors.floor_map import FloorMap
from xbench_saliency.kernels.maps import brightness


@dataclass(frozen=True)
class IntensityMap(FloorMap):
    """How bright each pixel is: all that a map may owe to being multiplied by the image."""

    name: ClassVar[str] = "intensity-map"

    def maps(self, batch: Batch, generator: Generator) -> Float[Tensor, "n h w"]:
        """Values in [0, 1]."""
        return brightness(batch.images)
