"""Edges in place of a map."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Batch
from xbench.kernels import sobel_magnitude
from xbench_saliency.floors.floor_map import FloorMap


@dataclass(frozen=True)
class EdgeMap(FloorMap):
    """How strong an edge runs through each pixel: Sobel's operator."""

    name: ClassVar[str] = "edge-map"

    def maps(self, batch: Batch, generator: Generator) -> Float[Tensor, "n h w"]:
        """Lengths of the gradient of the channels' mean."""
        return sobel_magnitude(batch.images)
