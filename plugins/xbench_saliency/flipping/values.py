"""Values: what is read from logits of what a map explains."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from xbench import Network
from xbench_saliency.flipping.edits import Predict
from xbench_saliency.flipping.random_orders import RandomCurves
from xbench_saliency.maps.saliency_map import SaliencyMap


class Value(NamedTuple):
    """The class that a map speaks for, less the one that it is contrasted with, if any."""

    label: int
    against: int | None

    @classmethod
    def of(cls, saliency_map: SaliencyMap) -> "Value":
        """What the map explains."""
        return cls(saliency_map.label, saliency_map.against)

    def read(
        self, logits: Float[Tensor, "*n classes"], probabilities: Float[Tensor, "*n classes"]
    ) -> Float64[Tensor, "*n 2"]:
        """The class's probability and logit; differences of them for a contrast."""
        columns = torch.stack([probabilities, logits], -1).double()
        own = columns[..., self.label, :]
        return own if self.against is None else own - columns[..., self.against, :]

    def predicted(self, network: Network, image_id: int) -> Predict:
        """Reads it from what the network makes of edits of an image."""

        def predict(images: Float[Tensor, "e 3 h w"]) -> Float64[Tensor, "e 2"]:
            logits = network.logits(images, [image_id] * len(images)).double()
            return self.read(logits, logits.softmax(1)).cpu()

        return predict

    def random(self, curves: RandomCurves) -> Float64[Tensor, "2 points 2"]:
        """Reads it from an image's curves of random orders."""
        return self.read(curves.logits, curves.probabilities)
