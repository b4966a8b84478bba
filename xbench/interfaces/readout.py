"""Readouts: scalar functions of an image, kept as `link ∘ top ∘ bottom`."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

Link = Callable[[Float[Tensor, "n logits"]], Float[Tensor, "n predictions"]]


@dataclass(frozen=True, eq=False)
class Readout:
    """P predictions for an image: `link(top(bottom(images)))`.

    `top` maps activations to z and is usually piecewise linear; `link` maps z to
    predictions, such as class probabilities or a difficulty in [0, 1]. A readout owns
    its bottom: an auxiliary network with a trunk of its own is a readout like any other.
    """

    bottom: nn.Module
    top: nn.Module
    link: Link

    def predictions(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n predictions"]:
        """The predictions for images; no gradient is kept."""
        with torch.no_grad():
            return self.link(self.top(self.bottom(images)))
