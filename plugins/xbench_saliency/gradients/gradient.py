"""The gradient at the pixels, and the gradient times the pixels."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from xbench import Batch, Network
from xbench_saliency.gradients.differentiation import pixel_gradients
from xbench_saliency.gradients.pixel_explainer import PixelExplainer
from xbench_saliency.maps.passes import passes
from xbench_saliency.maps.targets import Explained


@dataclass(frozen=True)
class Gradient(PixelExplainer):
    """How fast the logit rises with each pixel: "Deep Inside Convolutional Networks".

    (Simonyan, Vedaldi and Zisserman, ICLR workshop 2014; they take the largest size over channels,
    `channels = "abs-max"`.)
    """

    name: ClassVar[str] = "gradient"

    def values(
        self, network: Network, batch: Batch, what: Explained, generator: Generator
    ) -> Float[Tensor, "n 3 h w"]:
        """∂y/∂x."""
        return batch_gradients(network, batch, what, self.per_pass)


@dataclass(frozen=True)
class InputXGradient(PixelExplainer):
    """The gradient times the pixel's distance from black, which is 0.

    ("Not Just a Black Box", Shrikumar et al. 2016.)
    """

    name: ClassVar[str] = "input-x-gradient"

    def values(
        self, network: Network, batch: Batch, what: Explained, generator: Generator
    ) -> Float[Tensor, "n 3 h w"]:
        """X · ∂y/∂x."""
        return batch.images * batch_gradients(network, batch, what, self.per_pass)


def batch_gradients(
    network: Network, batch: Batch, what: Explained, per_pass: int
) -> Float[Tensor, "n 3 h w"]:
    """Gradients of all images of a batch, at most `per_pass` of them at a time."""
    height, width = batch.images.shape[-2:]
    return torch.cat(
        [
            pixel_gradients(network, batch.images[some], what.of(some))
            for some in passes(len(batch.ids), (height, width), per_pass)
        ]
    )
