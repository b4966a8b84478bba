"""Integrated gradients: the mean gradient on the way from a baseline, times the way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Batch, Network
from xbench.kernels import gauss_legendre
from xbench_saliency.gradients.path_means import mean_gradients
from xbench_saliency.gradients.pixel_explainer import PixelExplainer
from xbench_saliency.maps.baselines import Baseline, baseline_images
from xbench_saliency.maps.targets import Explained


@dataclass(frozen=True)
class IntegratedGradients(PixelExplainer):
    """The change of the logit from the baseline to the image, shared out among the pixels.

    "Axiomatic Attribution for Deep Networks" (Sundararajan, Taly and Yan, ICML 2017); by
    Gauss-Legendre quadrature.
    """

    name: ClassVar[str] = "integrated-gradients"

    steps: int = 50
    """Points on the way."""
    baseline: Baseline = "mean"
    """Where the way begins."""

    def __post_init__(self) -> None:
        """Refuse a way without steps."""
        super().__post_init__()
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, not {self.steps}")

    def values(
        self, network: Network, batch: Batch, what: Explained, generator: Generator
    ) -> Float[Tensor, "n 3 h w"]:
        """(x − x₀) · ∫ ∂y/∂x at x₀ + t (x − x₀) dt."""
        starts = baseline_images(self.baseline, batch.images)
        nodes, weights = gauss_legendre(self.steps)
        ways = batch.images - starts
        lines = [
            _line(start, way, nodes.to(start)) for start, way in zip(starts, ways, strict=True)
        ]
        return ways * mean_gradients(network, batch, what, lines, weights, self.per_pass)


def _line(
    start: Float[Tensor, "3 h w"], way: Float[Tensor, "3 h w"], nodes: Float[Tensor, " steps"]
) -> Callable[[Tensor], Float[Tensor, "k 3 h w"]]:
    """Points on the way from the start."""
    return lambda numbers: start + nodes[numbers, None, None, None] * way
