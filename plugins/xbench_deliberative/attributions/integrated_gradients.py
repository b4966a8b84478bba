"""Integrated gradients at a layer, along a path of activations or of images."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from xbench import Attribution, Readout
from xbench.kernels import gauss_legendre, right_riemann
from xbench_deliberative.attributions.differentiability import derivatives_of, evaluated
from xbench_deliberative.kernels.gradients import prediction_gradients


@dataclass(frozen=True)
class IntegratedGradients(Attribution):
    """Mean gradient along a path from the black image, times a − a₀, summed over channels.

    a₀ are the activations of the black image. One step of the path is held in memory at a
    time, so memory is that of one gradient, whatever the number of steps.
    """

    name: ClassVar[str] = "integrated-gradients"

    path: Literal["layer", "image"] = "layer"
    """`layer`: activations from a₀ to a, by Gauss-Legendre quadrature. `image`: images from
    black to the image itself, at i/steps for i = 1 … steps."""
    steps: int = 50
    gradients: Literal["all", "positive"] = "all"
    """Whether negative mean derivatives count, or are taken as zero."""

    def __post_init__(self) -> None:
        """Refuse a path without steps."""
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, not {self.steps}")

    def attribute(
        self,
        readout: Readout,
        activations: Float[Tensor, "n d h w"],
        images: Float[Tensor, "n 3 height width"],
    ) -> Float[Tensor, "n predictions h w"]:
        """Signed maps, from one forward of the top per step; of the bottom too for images."""
        end = activations.detach()
        start = _activations(readout, torch.zeros_like(images))
        mean = self._mean_gradient(readout, start, end, images)
        if self.gradients == "positive":
            mean = mean.clamp(min=0)
        return torch.einsum("pndij,ndij->npij", mean, end - start)

    def with_positive_gradients(self) -> "IntegratedGradients":
        """The same attribution with negative mean derivatives taken as zero."""
        return dataclasses.replace(self, gradients="positive")

    def _mean_gradient(
        self,
        readout: Readout,
        start: Float[Tensor, "n d h w"],
        end: Float[Tensor, "n d h w"],
        images: Float[Tensor, "n 3 height width"],
    ) -> Float[Tensor, "predictions n d h w"]:
        quadrature = gauss_legendre if self.path == "layer" else right_riemann
        points, weights = (part.tolist() for part in quadrature(self.steps))
        if self.path == "layer":
            stations = (start + point * (end - start) for point in points)
        else:
            stations = (_activations(readout, point * images) for point in points)
        return _weighted_sum(weights, (_gradient(readout, station) for station in stations))


def _activations(
    readout: Readout, images: Float[Tensor, "n 3 height width"]
) -> Float[Tensor, "n d h w"]:
    with torch.no_grad():
        return readout.bottom(images)


def _gradient(
    readout: Readout, activations: Float[Tensor, "n d h w"]
) -> Float[Tensor, "predictions n d h w"]:
    at = evaluated(readout, activations)
    with derivatives_of(readout.top):
        return prediction_gradients(at.predictions, at.point)


def _weighted_sum(weights: list[float], terms: Iterator[Tensor]) -> Tensor:
    total = weights[0] * next(terms)
    for weight, term in zip(weights[1:], terms, strict=True):
        total += weight * term
    return total
