"""Distances between classes below common ancestors."""

from collections.abc import Callable

import torch
from jaxtyping import Float64
from torch import Tensor


def path_lengths(
    up: Float64[Tensor, "classes nodes"],
) -> Float64[Tensor, "classes classes"]:
    """The least number of steps from one class up to a common ancestor and down to another.

    `up` holds the steps from each class up to each node, infinity where a node is not above
    it. Infinity for two classes without a common ancestor.
    """
    return _least(up, lambda steps: steps[:, None] + steps[None, :])


def common_heights(
    up: Float64[Tensor, "classes nodes"],
) -> Float64[Tensor, "classes classes"]:
    """The height of the lowest common ancestor of two classes; 0 for a class and itself.

    The height of a node is the most steps from it down to a class. Infinity for two classes
    without a common ancestor.
    """
    heights = _least(up, lambda steps: steps.max().expand(len(steps), len(steps)))
    return heights.fill_diagonal_(0)


def _least(up: Float64[Tensor, "classes nodes"], measure: Callable[[Tensor], Tensor]) -> Tensor:
    """The least over nodes of what `measure` gives for the classes below a node.

    Most nodes stand above few classes, so that this is far below classes² × nodes steps.
    """
    least = torch.full((len(up), len(up)), torch.inf, dtype=up.dtype)
    for column in up.T:
        below = torch.isfinite(column).nonzero()[:, 0]
        if not len(below):
            continue
        block = below[:, None], below[None, :]
        least[block] = torch.minimum(least[block], measure(column[below]))
    return least
