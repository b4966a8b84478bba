"""SmoothGrad: the mean gradient of noisy copies of an image."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Batch, Network, per_image
from xbench_saliency.gradients.path_means import mean_gradients
from xbench_saliency.gradients.pixel_explainer import PixelExplainer
from xbench_saliency.maps.targets import Explained


@dataclass(frozen=True)
class SmoothGrad(PixelExplainer):
    """The mean gradient over copies of the image with Gaussian noise.

    "SmoothGrad: removing noise by adding noise" (Smilkov et al. 2017).
    """

    name: ClassVar[str] = "smooth-grad"

    samples: int = 50
    """Noisy copies of an image."""
    sigma: float = 0.15
    """Standard deviation of the noise, as a share of the image's own range: largest − smallest."""

    def __post_init__(self) -> None:
        """Refuse a mean of nothing, and noise of a negative size."""
        super().__post_init__()
        if self.samples < 1:
            raise ValueError(f"samples must be at least 1, not {self.samples}")
        if not 0 <= self.sigma < float("inf"):
            raise ValueError(f"sigma must be a share of the range, at least 0, not {self.sigma}")

    def values(
        self, network: Network, batch: Batch, what: Explained, generator: Generator
    ) -> Float[Tensor, "n 3 h w"]:
        """The mean of ∂y/∂x at x + noise; the noise of an image hangs on its id alone."""
        noisy = [
            self._noisy(image, per_image(generator, id_))
            for image, id_ in zip(batch.images, batch.ids, strict=True)
        ]
        weights = torch.full((self.samples,), 1 / self.samples)
        return mean_gradients(network, batch, what, noisy, weights, self.per_pass)

    def _noisy(
        self, image: Float[Tensor, "3 h w"], source: Generator
    ) -> Callable[[Tensor], Float[Tensor, "k 3 h w"]]:
        """What draws the copies of these numbers, one after the other: in order of the numbers."""
        size = self.sigma * (image.max() - image.min())

        def copies(numbers: Tensor) -> Float[Tensor, "k 3 h w"]:
            noise = [torch.randn(image.shape, generator=source) for _ in numbers]
            return image + size * torch.stack(noise).to(image)

        return copies
