"""Noise in place of a map."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Batch, per_image
from xbench_saliency.floors.floor_map import FloorMap


@dataclass(frozen=True)
class RandomMap(FloorMap):
    """Uniform noise: what a map is worth that knows nothing at all."""

    name: ClassVar[str] = "random-map"

    noise: Literal["smooth", "pixels"] = "smooth"
    """`smooth`: on a coarse grid, as fine as a layer's maps; `pixels`: at every pixel."""
    cells: int = 8
    """Of smooth noise: cells along each side."""

    def __post_init__(self) -> None:
        """Refuse a grid without cells."""
        if self.cells < 1:
            raise ValueError(f"cells must be at least 1, not {self.cells}")

    def maps(self, batch: Batch, generator: Generator) -> Float[Tensor, "n h w"]:
        """Values in [0, 1), another map for each image."""
        pixels = (batch.images.shape[-2], batch.images.shape[-1])
        grid = pixels if self.noise == "pixels" else (self.cells, self.cells)
        sources = [per_image(generator, image) for image in batch.ids]
        return torch.stack([torch.rand(grid, generator=source) for source in sources])
