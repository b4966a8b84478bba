"""Gaussian blur of images of any size, in double precision: what is constant stays so exactly."""

import torch
from jaxtyping import Float
from torch import Tensor


def gaussian_blurred(images: Float[Tensor, "*n h w"], sigma: float) -> Float[Tensor, "*n h w"]:
    """The images after a blur of `sigma` pixels; at the border weights are those inside alone."""
    down, along = (_weights(side, sigma).to(images.device) for side in images.shape[-2:])
    return (down @ images.double() @ along.T).to(images.dtype)


def _weights(side: int, sigma: float) -> Float[Tensor, "side side"]:
    """Of each place of a line, a row: how much each other place counts; rows sum to 1."""
    places = torch.arange(side, dtype=torch.float64)
    return (-((places[:, None] - places) / sigma).square() / 2).softmax(1)
