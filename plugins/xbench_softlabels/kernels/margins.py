"""Margins: by how much other classes are ahead of the true one, and the cross-entropy of that."""

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor


def other_margins(
    logits: Float[Tensor, "n classes"], labels: Int64[Tensor, " n"]
) -> Float64[Tensor, " n"]:
    """Each m = log Σ e^z over the other classes, less z of the true class; in double precision.

    The cross-entropy is log(1 + e^m), so gradients of both have the same signs, and the
    margin's does not vanish where the network is sure. Of a single class it is −∞.
    """
    values, own = logits.double(), labels[:, None]
    others = values.scatter(1, own, -torch.inf)
    return others.logsumexp(1) - values.gather(1, own)[:, 0]


def hard_cross_entropies(margins: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]:
    """log(1 + e^m): the cross-entropies to the hard labels, of any size without overflow."""
    return torch.logaddexp(margins, torch.zeros_like(margins))
