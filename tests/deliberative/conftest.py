"""A small data set with every annotation the protocol can use, and a small network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from xbench import (
    Batch,
    ClassAttributes,
    Dataset,
    IdealObserver,
    ImageSet,
    LocalWorkplace,
    Network,
    PartAttribute,
    PartMasks,
    PartPoints,
    Workplace,
    generator,
)
from xbench.networks import cut_module

CLASSES, PARTS, SIDE = 6, 4, 20


@dataclass(frozen=True)
class Dots(Dataset, PartPoints, PartMasks, ClassAttributes, IdealObserver):
    """Noise images; part k of image i lies at a random place and shows as a square."""

    name: ClassVar[str] = "dots"

    count: int = 24

    def check(self) -> None:
        """Nothing can be missing."""

    def fingerprint(self) -> str:
        return f"dots-{self.count}"

    def class_names(self) -> tuple[str, ...]:
        return tuple(f"class {label}" for label in range(CLASSES))

    def splits(self) -> tuple[str, ...]:
        return "train", "test"

    def ids(self, split: str) -> Sequence[int]:
        start = 0 if split == "train" else self.count
        return range(start, start + self.count)

    def labels(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor([image % CLASSES for image in ids])

    def images(self, ids: Sequence[int]) -> Tensor:
        return torch.stack(
            [
                torch.randint(0, 256, (3, SIDE, SIDE), generator=generator("image", image)).byte()
                for image in ids
            ]
        )

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


def small_network(classes: int = CLASSES, seed: int = 0) -> Network:
    """Two convolutions, then pooling and a linear head: 8×10×10 activations at 20 px."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(6, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(5),
            nn.Flatten(),
            nn.Linear(200, 32),
            nn.ReLU(),
            nn.Linear(32, classes),
        )
        nn.init.normal_(module[8].weight, std=1.0)
    return cut_module(module.eval(), classes=classes, size=SIDE)


@pytest.fixture
def network() -> Network:
    return small_network()


@pytest.fixture
def images() -> ImageSet:
    return ImageSet(Dots(), "test")


@pytest.fixture
def batch(images: ImageSet) -> Batch:
    return images.batch(images.ids()[:8])


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return LocalWorkplace(torch.device("cpu"), 5, tmp_path)
