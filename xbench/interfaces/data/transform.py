"""The geometric transform between a dataset's images and a network's input."""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int16, UInt8
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional


@dataclass(frozen=True)
class Transform:
    """Resize the short side to `resize`, then cut the central square of side `crop`.

    0 leaves a step out. Pixels, points and masks go through exactly the same geometry.
    """

    resize: int = 0
    crop: int = 0

    def image(self, image: UInt8[Tensor, "3 h w"]) -> Float[Tensor, "3 h2 w2"]:
        """The transformed image in [0, 1]; bilinear, antialiased, as usual at test time."""
        size = self._resized(image.shape[-2], image.shape[-1])
        if size != tuple(image.shape[-2:]):
            image = functional.resize(image, list(size), antialias=True)
        return functional.to_dtype(self._cropped(image), torch.float32, scale=True)

    def mask(self, mask: Int16[Tensor, "h w"]) -> Int16[Tensor, "h2 w2"]:
        """The transformed label map, by nearest neighbour; outside the image it shows −1."""
        size = self._resized(mask.shape[-2], mask.shape[-1])
        if size != tuple(mask.shape[-2:]):
            nearest = InterpolationMode.NEAREST_EXACT
            mask = functional.resize(mask[None], list(size), interpolation=nearest)[0]
        return self._cropped(mask[None] + 1)[0] - 1

    def points(
        self, points: Float[Tensor, "parts 3"], size: tuple[int, int]
    ) -> Float[Tensor, "parts 3"]:
        """Points (x, y, visible) of an image of `size` (h, w), moved; hidden where cut away."""
        height, width = self._resized(*size)
        scale = torch.tensor([width / size[1], height / size[0]], dtype=points.dtype)
        top, left = self._offset(height, width)
        xy = points[:, :2] * scale - torch.tensor([left, top], dtype=points.dtype)
        frame = torch.tensor(self._frame(height, width)[::-1], dtype=points.dtype)
        inside = ((xy >= 0) & (xy < frame)).all(dim=1)
        return torch.cat([xy, (points[:, 2] * inside)[:, None]], dim=1)

    def box(self, box: Float[Tensor, "4"], size: tuple[int, int]) -> Float[Tensor, "4"]:
        """A box (x, y, width, height) of an image of `size` (h, w), moved and cut to the frame.

        NaN for a box that is NaN, or of which the frame shows nothing.
        """
        corners = torch.ones(2, 3, dtype=box.dtype)
        corners[:, :2] = torch.stack([box[:2], box[:2] + box[2:]])
        frame = torch.tensor(self.size(size)[::-1], dtype=box.dtype)
        first, last = self.points(corners, size)[:, :2].clamp(min=0).minimum(frame)
        moved = torch.cat([first, last - first])
        return moved if (moved[2:] > 0).all() else torch.full_like(moved, torch.nan)

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of the transformed image, from those of the image."""
        return self._frame(*self._resized(*size))

    def tree(self) -> dict[str, Any]:
        """The transform as plain values."""
        return {"resize": self.resize, "crop": self.crop}

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        short = min(height, width)
        if not self.resize or short == self.resize:
            return height, width
        return height * self.resize // short, width * self.resize // short

    def _frame(self, height: int, width: int) -> tuple[int, int]:
        return (self.crop, self.crop) if self.crop else (height, width)

    def _offset(self, height: int, width: int) -> tuple[int, int]:
        if not self.crop:
            return 0, 0
        return _margin(height, self.crop), _margin(width, self.crop)

    def _cropped(self, image: Tensor) -> Tensor:
        if not self.crop:
            return image
        top, left = self._offset(image.shape[-2], image.shape[-1])
        return functional.crop(image, top, left, self.crop, self.crop)


def _margin(length: int, crop: int) -> int:
    """What is cut from a side before its central part, as torchvision does; negative to pad."""
    return -((crop - length) // 2) if length < crop else round((length - crop) / 2)
