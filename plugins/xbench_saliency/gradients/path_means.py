"""Weighted means of gradients at many points about each image, in flat memory."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from xbench import Batch, Network
from xbench_saliency.gradients.differentiation import pixel_gradients
from xbench_saliency.maps.passes import passes
from xbench_saliency.maps.targets import Explained

Points = Callable[[Int64[Tensor, " k"]], Float[Tensor, "k 3 h w"]]
"""Makes the points of these numbers; it is asked for each once, in their order."""


def mean_gradients(
    network: Network,
    batch: Batch,
    what: Explained,
    points: Sequence[Points],
    weights: Float[Tensor, " count"],
    per_pass: int,
) -> Float[Tensor, "n 3 h w"]:
    """Σ_k w_k ∂y/∂x at the points k of each image.

    The points of an image go through the network by themselves, so what comes out does not hang
    on which images are beside it, not even in its last digit.
    """
    height, width = batch.images.shape[-2:]
    totals = torch.zeros_like(batch.images)
    for place, of_image in enumerate(points):
        for some in passes(len(weights), (height, width), per_pass):
            slopes = pixel_gradients(network, of_image(some), what.of(torch.full_like(some, place)))
            totals[place] += torch.einsum("k,kdij->dij", weights[some].to(slopes), slopes)
    return totals
