"""What is attacked: one network, or several whose probabilities are averaged."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from xbench import MismatchError, Network
from xbench.kernels import pooled_logits


@dataclass(frozen=True, eq=False)
class Attacked:
    """The network of an entry, or those of an ensemble, which are attacked together."""

    networks: Sequence[Network]
    ids: Sequence[int]
    """Of the images that go through them, for errors."""

    def __call__(self, images: Float[Tensor, "n 3 h w"]) -> Float64[Tensor, "n classes"]:
        """Logits whose softmax is the mean of the networks' probabilities, with their gradients.

        `MismatchError` where gradients are wanted and a network has none.
        """
        return pooled_logits(torch.stack([self._logits(of, images) for of in self.networks]))

    def _logits(self, network: Network, images: Tensor) -> Tensor:
        logits = network.checked(network.module(images), self.ids)
        network.passes.forward += len(images)
        if torch.is_grad_enabled() and not logits.requires_grad:
            raise MismatchError(
                f"{network.name} has no gradients at the pixels (is part of it under no_grad?); "
                "attacks follow gradients, so it cannot be attacked"
            )
        return logits.double()
