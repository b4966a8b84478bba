"""Closeness to the image's centre in place of a map."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Batch
from xbench.kernels import centre_map
from xbench_saliency.floors.floor_map import FloorMap


@dataclass(frozen=True)
class CentreMap(FloorMap):
    """Closeness to the centre: photographers point their cameras at things."""

    name: ClassVar[str] = "centre-map"

    def maps(self, batch: Batch, generator: Generator) -> Float[Tensor, "n h w"]:
        """Pixels by which each one is nearer to the centre than the corners are."""
        height, width = batch.images.shape[-2:]
        closeness = centre_map(height, width)
        return (closeness - closeness.min()).expand(len(batch.ids), -1, -1)
