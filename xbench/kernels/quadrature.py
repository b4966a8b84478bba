"""Quadrature: at which points of [0, 1] to take a function, and how much each counts."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor


class Quadrature(NamedTuple):
    """Points in [0, 1] and their weights, which sum to 1."""

    points: Float64[Tensor, " steps"]
    weights: Float64[Tensor, " steps"]


def gauss_legendre(steps: int) -> Quadrature:
    """Exact for polynomials of degree 2·steps − 1."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return Quadrature(torch.from_numpy((nodes + 1) / 2), torch.from_numpy(weights / 2))


def right_riemann(steps: int) -> Quadrature:
    """The points i/steps for i = 1 … steps, all of one weight."""
    points = torch.arange(1, steps + 1, dtype=torch.float64) / steps
    return Quadrature(points, torch.full_like(points, 1 / steps))
