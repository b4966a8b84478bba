"""Geometric augmentation of whole batches."""

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional


def shifted(
    images: UInt8[Tensor, "n c h w"], flips: Bool[Tensor, " n"], shifts: Int64[Tensor, "n 2"]
) -> UInt8[Tensor, "n c h w"]:
    """The images mirrored where `flips`, then moved down and right by `shifts` pixels.

    What moves in from outside repeats the nearest pixel of the border.
    """
    rows = _sources(images.shape[2], shifts[:, 0])
    columns = _sources(images.shape[3], shifts[:, 1])
    columns = torch.where(flips[:, None], images.shape[3] - 1 - columns, columns)
    batch = torch.arange(len(images))[:, None, None]
    pixels = images.permute(0, 2, 3, 1)[batch, rows[:, :, None], columns[:, None, :]]
    return pixels.permute(0, 3, 1, 2)


def resized_crops(
    images: Float[Tensor, "n c h w"], boxes: Float[Tensor, "n 4"]
) -> Float[Tensor, "n c h w"]:
    """The part of each image in its box (top, left, height, width), enlarged to full size.

    Boxes are fractions of the image; bilinear, without antialiasing.
    """
    top, left, height, width = boxes.to(images.dtype).unbind(dim=1)
    zero = torch.zeros_like(top)
    across = torch.stack([width, zero, 2 * left + width - 1], dim=1)
    down = torch.stack([zero, height, 2 * top + height - 1], dim=1)
    affine = torch.stack([across, down], dim=1)
    grid = functional.affine_grid(affine, list(images.shape), align_corners=False)
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="border", align_corners=False
    )


def crop_boxes(
    draws: Float[Tensor, "n 4"], scale: tuple[float, float], ratio: tuple[float, float]
) -> Float[Tensor, "n 4"]:
    """Boxes (top, left, height, width), as fractions, from four uniform draws each.

    The area is uniform in `scale`, the logarithm of width / height uniform in `ratio`; a
    side that is longer than the image is cut to it.
    """
    area = scale[0] + (scale[1] - scale[0]) * draws[:, 0]
    low, high = (torch.tensor(value, dtype=draws.dtype).log() for value in ratio)
    aspect = (low + (high - low) * draws[:, 1]).exp()
    height = (area / aspect).sqrt().clamp(max=1)
    width = (area * aspect).sqrt().clamp(max=1)
    return torch.stack([draws[:, 2] * (1 - height), draws[:, 3] * (1 - width), height, width], 1)


def _sources(size: int, shifts: Int64[Tensor, " n"]) -> Int64[Tensor, "n size"]:
    return (torch.arange(size) - shifts[:, None]).clamp(0, size - 1)
