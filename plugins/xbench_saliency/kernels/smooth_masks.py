"""Smooth masks: a maximum over a neighbourhood of weighted values on a coarse grid.

Equations of "Understanding deep networks via extremal perturbations and smooth masks" (Fong,
Patrick and Vedaldi, ICCV 2019).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

TEMPERATURE = 1 / 20
"""Of the smooth maximum: towards 0 it is the maximum, towards infinity the mean."""
NEGLIGIBLE = 0.05
"""Weights below this are 0, so that a neighbourhood is finite."""


def neighbourhood(sigma: float) -> Float[Tensor, "k k"]:
    """Weights around a cell: 1 up to the distance `sigma`, in cells, and then falling.

    At the distance z · sigma it is exp(−max(0, z − 1)² / 4).
    """
    reach = math.floor(sigma * (1 + 2 * math.sqrt(-math.log(NEGLIGIBLE))))
    offsets = torch.arange(-reach, reach + 1, dtype=torch.float64)
    distances = torch.hypot(offsets[:, None], offsets[None]) / sigma
    weights = torch.exp(-((distances - 1).clamp(min=0) ** 2) / 4)
    return weights.where(weights >= NEGLIGIBLE, 0.0).float()


def smooth_masks(
    cells: Float[Tensor, "n h w"], weights: Float[Tensor, "k k"]
) -> Float[Tensor, "n h w"]:
    """At each cell the smooth maximum over its neighbourhood of weight × value.

    The smooth maximum of values v is Σ v exp(v/T) / Σ exp(v/T); beyond the border lie zeros.
    """
    side = weights.shape[0]
    windows = nn.functional.unfold(cells[:, None], side, padding=side // 2)
    values = windows * weights.flatten()[:, None]
    shares = (values / TEMPERATURE).softmax(1)
    return (shares * values).sum(1).view_as(cells)
