"""Insecurities: the explanation that deliberative explainers make."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from xbench import Batch, Explanation, ImageSet, PairRegion, ParameterError
from xbench.kernels import resized_maps
from xbench_deliberative.kernels.regions import region

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Insecurities(Explanation):
    """Insecurities (r, a, b) of one image, the most ambiguous first."""

    name: ClassVar[str] = "insecurities"

    ambiguity_maps: Float[Tensor, "q h w"]
    """One map per pair on any grid; only the order of its values matters to regions."""
    pairs: Int64[Tensor, "q 2"]
    """The two classes, the smaller label first."""
    strengths: Float64[Tensor, " q"]
    """Degree of ambiguity; never increases along the list."""
    size: tuple[int, int]
    """Height and width of the image."""

    def __len__(self) -> int:
        return len(self.pairs)

    def maps(self) -> Float[Tensor, "q height width"]:
        """The ambiguity maps at the size of the image, bilinear."""
        return resized_maps(self.ambiguity_maps, self.size)

    def masks(self, coverage: float) -> Bool[Tensor, "q height width"]:
        """The regions r: the strongest pixels, exactly `coverage` of the image.

        The area is rounded to whole pixels. Equal values are ordered by a fixed hash of
        the pixel index, which spreads them evenly over the image.
        """
        if not 0 <= coverage <= 1:
            raise ParameterError(f"coverage must lie between 0 and 1, not {coverage}")
        return region(self.maps(), coverage)

    def pair_regions(self, coverage: float) -> Sequence[PairRegion]:
        """Region and classes of each insecurity, the most ambiguous first."""
        regions, pairs = self.masks(coverage), self.pairs.tolist()
        return [PairRegion(*of) for of in zip(regions, ((a, b) for a, b in pairs), strict=True)]

    def strongest(self, count: int) -> "Insecurities":
        """The first `count` insecurities."""
        return Insecurities(
            self.ambiguity_maps[:count], self.pairs[:count], self.strengths[:count], self.size
        )

    def tensors(self) -> Mapping[str, Tensor]:
        """Maps, pairs, strengths and size."""
        return {
            "ambiguity_maps": self.ambiguity_maps,
            "pairs": self.pairs,
            "strengths": self.strengths,
            "size": torch.tensor(self.size),
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The insecurities whose `tensors` these are."""
        height, width = tensors["size"].tolist()
        maps, pairs, strengths = (tensors[n] for n in ("ambiguity_maps", "pairs", "strengths"))
        return cls(maps, pairs, strengths, (height, width))

    def draw(
        self, batch: Batch, examples: ImageSet | None, class_names: tuple[str, ...]
    ) -> "Figure":
        """The strongest insecurities: region, class names, an example of each, shared parts."""
        from xbench_deliberative.explanations.figure import insecurities_figure

        return insecurities_figure(self, batch, examples, class_names)
