"""First-order attribution: one vector-Jacobian product for each prediction."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor


def gradient_times_activation(
    predictions: Float[Tensor, "n predictions"],
    activations: Float[Tensor, "n d h w"],
    gradients: Literal["all", "positive"] = "all",
) -> Float[Tensor, "n predictions h w"]:
    """Σ_d ∂p/∂a_dij · a_dij, the first term of eq. (2), for every prediction p.

    `predictions` must have been computed from `activations`, image by image. With
    `gradients="positive"` negative derivatives count as zero. All vector-Jacobian
    products run as one batch, so the weights are read once.
    """
    jacobian = prediction_gradients(predictions, activations)
    if gradients == "positive":
        jacobian = jacobian.clamp(min=0)
    return torch.einsum("pndij,ndij->npij", jacobian, activations.detach())


def prediction_gradients(
    predictions: Float[Tensor, "n predictions"], activations: Float[Tensor, "n ..."]
) -> Float[Tensor, "predictions n ..."]:
    """∂p/∂a for every prediction p and every activation, or logit, a."""
    n, count = predictions.shape
    chosen = torch.eye(count, dtype=predictions.dtype, device=predictions.device)
    (jacobian,) = torch.autograd.grad(
        predictions,
        activations,
        chosen[:, None, :].expand(count, n, count),
        retain_graph=True,
        is_grads_batched=True,
    )
    return jacobian
