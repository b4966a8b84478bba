"""Coloured rectangles that can be drawn without some of them, or in other colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from small_datasets import Made
from xbench import ClassAttributes, PartAttribute, PartMasks, PartRedraws, PartRemovals, generator

SIDE = 16
BOXES = {
    "head": (0, 0, 4, 4),
    "body": (4, 2, 12, 9),
    "wing": (2, 10, 8, 16),
    "tail": (12, 0, 16, 6),
    "leg": (12, 8, 16, 12),
    "eye": (1, 6, 3, 8),
}
"""Top, left, bottom and right; the eye is too small to be asked about."""
PARTS = tuple(BOXES)
HEADLESS = 5
"""Every image whose id is a multiple shows head and body alone."""


@dataclass(frozen=True)
class Rectangles(Made, PartMasks, ClassAttributes, PartRemovals, PartRedraws):
    """Six parts on a noisy ground, each with a colour that follows from image and part."""

    name: ClassVar[str] = "rectangles"
    classes: ClassVar[tuple[str, ...]] = ("one", "two", "three", "four", "five")

    count: int = 12

    def mask_names(self) -> tuple[str, ...]:
        return PARTS

    def part_masks(self, ids: Sequence[int]) -> list[Tensor]:
        return [mask_of(image) for image in ids]

    def class_attributes(self) -> tuple[PartAttribute, ...]:
        """Classes that share a digit in a part look alike in it."""
        looks = {"head": (0, 0, 1, 2, 2), "body": (0, 1, 0, 2, 0), "wing": (0, 1, 2, 0, 1)}
        return tuple(
            PartAttribute(PARTS.index(name), "colour", ("red", "green", "blue"), shares(own))
            for name, own in looks.items()
        )

    def image(self, image: int) -> Tensor:
        return painted(image, torch.zeros(len(PARTS), dtype=torch.bool))

    def images_without(self, ids: Sequence[int], removed: Tensor) -> list[Tensor]:
        return [painted(image, gone) for image, gone in zip(ids, removed, strict=True)]

    def images_redrawn(self, ids: Sequence[int], redrawn: Tensor, draw: int) -> list[Tensor]:
        none = torch.zeros(len(PARTS), dtype=torch.bool)
        pairs = zip(ids, redrawn, strict=True)
        return [painted(image, none, other, draw) for image, other in pairs]


def shares(own: Sequence[int]) -> Tensor:
    return 80 * torch.nn.functional.one_hot(torch.tensor(own), 3).double() + 20 / 3


def mask_of(image: int) -> Tensor:
    mask = torch.full((SIDE, SIDE), -1, dtype=torch.int16)
    shown = PARTS[:2] if image % HEADLESS == 0 else PARTS
    for name in shown:
        top, left, bottom, right = BOXES[name]
        mask[top:bottom, left:right] = PARTS.index(name)
    return mask


def painted(image: int, gone: Tensor, other: Tensor | None = None, draw: int = 0) -> Tensor:
    """The image without some parts, others in colours of a draw."""
    pixels = torch.randint(100, 156, (3, SIDE, SIDE), generator=generator("ground", image))
    mask = mask_of(image)
    for part in range(len(PARTS)):
        number = ("colour", image, part)
        if other is not None and other[part]:
            number = ("colour", image, part, "draw", draw)
        if not gone[part]:
            colour = torch.randint(256, (3, 1, 1), generator=generator(*number))
            pixels = torch.where(mask == part, colour, pixels)
    return pixels.to(torch.uint8)
