"""Losses of a hardness predictor, image by image."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

CREDIT = 0.55
"""What p counts as where the prediction is right although p is below one half."""


def target_probabilities(
    logits: Float[Tensor, "n classes"], distribution: Float[Tensor, "n classes"]
) -> Float[Tensor, " n"]:
    """p, the probability of the true class: the mean of the probabilities over the target."""
    return (logits.softmax(1) * distribution).sum(1)


def bce_losses(p: Float[Tensor, " n"], z: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """−[p log(1−s) + (1−p) log s] with s = σ(z); smallest at s = 1 − p."""
    return p * functional.softplus(z) + (1 - p) * functional.softplus(-z)


def linear_losses(
    p: Float[Tensor, " n"], z: Float[Tensor, " n"], right: Bool[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """(1−p)(1−s) + p·s with s = σ(z); falls with s where p < 1/2 and rises where p > 1/2.

    p counts as 0.55 where the prediction is right but p is below one half.
    """
    p = p.where(~(right & (p < 0.5)), torch.full_like(p, CREDIT))
    return (1 - p) * torch.sigmoid(-z) + p * torch.sigmoid(z)


def balancing_weights(right: Bool[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Weights of mean 1 with which right and wrong images count equally.

    All are 1 where there is only one sort.
    """
    n, count = len(right), int(right.sum())
    if count in (0, n):
        return torch.ones(n, device=right.device)
    weights = torch.tensor([n / (2 * (n - count)), n / (2 * count)], device=right.device)
    return weights[right.long()]


def sigmoid_scores(z: Float[Tensor, "n 1"]) -> Float[Tensor, "n 1"]:
    """The score s = σ(z), in double precision."""
    return z.double().sigmoid()
