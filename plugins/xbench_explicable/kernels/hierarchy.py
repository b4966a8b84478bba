"""Probabilities of the nodes of a class tree, and losses along the way to a class."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor


class Descent(NamedTuple):
    """The nodes between the root and the classes, and what −log P of each weighs.

    The root and the classes themselves are no such nodes.
    """

    leaves: Int64[Tensor, " pairs"]
    """With `nodes`: every pair of a class and a node above it."""
    nodes: Int64[Tensor, " pairs"]
    own: Float[Tensor, " classes"]
    """What −log P of a class weighs where it is the true one."""
    above: Float[Tensor, "classes nodes"]
    """What −log P of each node weighs where the row's class is the true one."""


def descent_from_depths(
    leaves: Int64[Tensor, " pairs"],
    nodes: Int64[Tensor, " pairs"],
    depths: Int64[Tensor, " pairs"],
    class_depths: Int64[Tensor, " classes"],
    alpha: float,
) -> Descent:
    """Weights of −log P that add up to −Σ_l λ(C_l) log P(C_l | C_l+1), λ(C) = exp(−α depth(C)).

    `depths` are those of `nodes`, in edges from the root. Each node stands in the sum twice,
    as C_l and as the parent of C_l-1, so it weighs λ(C_l) − λ(C_l-1). (Bertinetto et al.
    2020, section 3)
    """
    count = int(nodes.max()) + 1 if len(nodes) else 0
    above = torch.zeros(len(class_depths), count, dtype=torch.float64)
    # below a node on the way to a class lies a node that is one edge deeper
    upper = depths.double()
    above[leaves, nodes] = torch.exp(-alpha * upper) - torch.exp(-alpha * (upper + 1))
    return Descent(leaves, nodes, torch.exp(-alpha * class_depths.double()), above)


def hierarchical_cross_entropies(
    logits: Float[Tensor, "n classes"], distribution: Float[Tensor, "n classes"], descent: Descent
) -> Float[Tensor, " n"]:
    """The loss of each row, linear in its target distribution.

    log P of a node is the logarithm of summed exponentials of log P of the classes below
    it, with their maximum taken out: it stays finite where P underflows.
    """
    log_p = logits.log_softmax(dim=1)
    losses = -(distribution * descent.own * log_p).sum(dim=1)
    count = descent.above.shape[1]
    if not count:
        return losses
    above = grouped_logsumexp(log_p.index_select(1, descent.leaves), descent.nodes, count)
    return losses - ((distribution @ descent.above) * above).sum(dim=1)


def grouped_logsumexp(
    values: Float[Tensor, "n pairs"], groups: Int64[Tensor, " pairs"], count: int
) -> Float[Tensor, "n count"]:
    """The logarithm of Σ exp over the columns of each of `count` groups, none of which is empty."""
    places = groups.expand_as(values)
    top = values.new_full((len(values), count), -torch.inf)
    top = top.scatter_reduce(1, places, values.detach(), "amax")
    sums = torch.zeros_like(top).scatter_add(
        1, places, (values - top.index_select(1, groups)).exp()
    )
    return sums.log() + top
