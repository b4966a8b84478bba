"""A small data set with every annotation the protocol can use, and a small network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from small_datasets import Made
from small_networks import SIDE, small_module, small_network
from xbench import (
    Batch,
    ClassAttributes,
    IdealObserver,
    ImageSet,
    Network,
    PartAttribute,
    PartMasks,
    PartPoints,
    generator,
)

CLASSES, PARTS = 6, 4


@dataclass(frozen=True)
class Dots(Made, PartPoints, PartMasks, ClassAttributes, IdealObserver):
    """Noise images; part k of image i lies at a random place and shows as a square."""

    name: ClassVar[str] = "dots"
    classes: ClassVar[tuple[str, ...]] = tuple(f"class {label}" for label in range(CLASSES))
    count: ClassVar[int] = 24
    starts: ClassVar[Mapping[str, int]] = {"train": 0, "test": 24}

    def image(self, image: int) -> Tensor:
        return torch.randint(0, 256, (3, SIDE, SIDE), generator=generator("image", image)).byte()

    def part_names(self) -> tuple[str, ...]:
        return tuple(f"part {k}" for k in range(PARTS))

    def mask_names(self) -> tuple[str, ...]:
        return ("sky", *self.part_names())

    def part_points(self, ids: Sequence[int]) -> Tensor:
        return torch.stack([self._points(image) for image in ids])

    def _points(self, image: int) -> Tensor:
        source = generator("points", image)
        places = torch.randint(2, SIDE - 2, (PARTS, 2), generator=source) + 0.5
        visible = torch.rand(PARTS, 1, generator=source) < 0.8
        return torch.cat([places, visible.float()], 1)

    def part_masks(self, ids: Sequence[int]) -> list[Tensor]:
        return [self._mask(image) for image in ids]

    def _mask(self, image: int) -> Tensor:
        mask = torch.full((SIDE, SIDE), -1, dtype=torch.int16)
        mask[:3] = 0
        for part, (x, y, visible) in enumerate(self._points(image)):
            if visible:
                mask[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] = part + 1
        return mask

    def class_attributes(self) -> tuple[PartAttribute, ...]:
        return tuple(
            PartAttribute(part, f"colour {n}", ("red", "green", "blue"), self._frequencies(part, n))
            for part in range(PARTS)
            for n in range(1 + part % 2)
        )

    def _frequencies(self, part: int, n: int) -> Tensor:
        source = generator("frequencies", part, n)
        return 100 * torch.rand(CLASSES, 3, generator=source, dtype=torch.float64)

    def part_likelihoods(self, ids: Sequence[int]) -> Tensor:
        return torch.stack(
            [
                torch.rand(PARTS, CLASSES, generator=generator("l", image), dtype=torch.float64)
                for image in ids
            ]
        )

    def class_posterior(self, ids: Sequence[int]) -> Tensor:
        product = self.part_likelihoods(ids).prod(1)
        return product / product.sum(1, keepdim=True)


@pytest.fixture
def network() -> Network:
    return small_network(partial(small_module, CLASSES, norm=False, hidden=32), 0, 1.0)


@pytest.fixture
def images() -> ImageSet:
    return ImageSet(Dots(), "test")


@pytest.fixture
def batch(images: ImageSet) -> Batch:
    return images.batch(images.ids()[:8])
