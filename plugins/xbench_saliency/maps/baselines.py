"""Baselines: images that stand for nothing being there."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from xbench_saliency.kernels.blur import blurred

Baseline = Literal["mean", "black", "blur"]
"""The image's own mean of each channel, black, or the image after a Gaussian blur."""
BLUR = 1 / 20
"""Standard deviation of the blur in shorter sides of the image: 11 pixels of 224."""


def baseline_images(
    baseline: Baseline, images: Float[Tensor, "n 3 h w"]
) -> Float[Tensor, "n 3 h w"]:
    """The baseline of each image; that of an image of one colour is itself, but for `black`."""
    if baseline == "black":
        return torch.zeros_like(images)
    if baseline == "blur":
        return blurred(images, BLUR * min(images.shape[-2:]))
    means = images.double().mean(dim=(-2, -1), keepdim=True)  # exact where all pixels are equal
    return means.to(images.dtype).expand_as(images)
