"""An explainer that says which square of an image two classes compete for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from xbench import Explainer, Explanation, PairRegion


@dataclass(frozen=True, eq=False)
class TinyRegions(Explanation):
    """At most one region."""

    name: ClassVar[str] = "tiny-regions"
    region: Tensor
    classes: tuple[int, int]

    def tensors(self) -> Mapping[str, Tensor]:
        return {"region": self.region, "classes": torch.tensor(self.classes)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> "TinyRegions":
        a, b = tensors["classes"].tolist()
        return cls(tensors["region"], (a, b))

    def draw(self, batch: Any, examples: Any, class_names: Any) -> Any:
        raise NotImplementedError

    def pair_regions(self, coverage: float) -> list[PairRegion]:
        return [PairRegion(self.region, self.classes)] if self.region.any() else []


@dataclass(frozen=True)
class SquareDoubt(Explainer):
    """A square of `side` pixels from the third row and column on; none for `without` images."""

    name: ClassVar[str] = "square-doubt"
    makes: ClassVar[type[TinyRegions]] = TinyRegions

    side: int = 4
    without: tuple[int, ...] = ()
    classes: int = 5

    def explain(self, network, batch, artefacts, generator, given):  # type: ignore[no-untyped-def]
        return [self._of(image) for image in batch.ids]

    def _of(self, image: int) -> TinyRegions:
        region = torch.zeros(16, 16, dtype=torch.bool)
        if image not in self.without:
            region[2 : 2 + self.side, 2 : 2 + self.side] = True
        pair = sorted((image % self.classes, (image + 2) % self.classes))
        return TinyRegions(region, (pair[0], pair[1]))
