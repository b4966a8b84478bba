"""Conceptual explanation scores: what concepts do to the probability of a class."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

SATURATED = 1e-6
"""A probability closer to 0 or 1 than this says nothing of how strong a concept is."""


class Differences(NamedTuple):
    """What a step along each concept changes."""

    raw: Float64[Tensor, "n concepts"]
    """P(y | b + step) − P(y | b), in [−1, 1]."""
    logarithmic: Float64[Tensor, "n concepts"]
    """log P(y | b + step) − log P(y | b), in nats."""


def log_probabilities(
    logits: Float[Tensor, "n classes"], labels: Int64[Tensor, " n"]
) -> Float64[Tensor, " n"]:
    """The logarithm of P(label) under the softmax over all logits, in nats."""
    return logits.double().log_softmax(dim=1).gather(1, labels[:, None])[:, 0]


def moved_log_probabilities(
    rest: Callable[[Tensor], Tensor],
    points: Float[Tensor, "n ..."],
    displacements: Float[Tensor, "concepts ..."],
    labels: Int64[Tensor, " n"],
    rows: int,
) -> Float64[Tensor, "n concepts"]:
    """The logarithm of P(label | point + displacement) for every image and concept.

    `rest` maps points to logits and may overwrite what it is given, which is never more than
    `rows` points in a buffer of its own. The images of a batch do not meet.
    """
    values = torch.empty(len(points), len(displacements), dtype=torch.float64, device=points.device)
    buffer = points.new_empty((min(rows, len(displacements)), *points.shape[1:]))
    for start in range(0, len(displacements), rows):
        chunk = displacements[start : start + rows]
        for image, point in enumerate(points):
            logits = rest(torch.add(chunk, point, out=buffer[: len(chunk)]))
            label = labels[image].expand(len(chunk))
            values[image, start : start + rows] = log_probabilities(logits, label)
    return values


def differences(before: Float64[Tensor, " n"], after: Float64[Tensor, "n concepts"]) -> Differences:
    """The scores from log P(y | b) and log P(y | b + step)."""
    return Differences(after.exp() - before.exp()[:, None], after - before[:, None])


def saturated_share(after: Float64[Tensor, "n concepts"]) -> Float64[Tensor, " n"]:
    """The share of the concepts that drive P(y) to 0 or 1, given log P(y | b + step)."""
    probabilities = after.exp()
    extreme = (probabilities < SATURATED) | (probabilities > 1 - SATURATED)
    return extreme.double().mean(dim=1)


def scaled_to_one(raw: Float64[Tensor, " concepts"]) -> Float64[Tensor, " concepts"]:
    """The scores divided by the largest absolute one; zeros stay zeros."""
    largest = raw.abs().amax() if len(raw) else raw.new_zeros(())
    return raw / torch.where(largest > 0, largest, torch.ones_like(largest))


def descending_ranks(scores: Float64[Tensor, " concepts"]) -> Float64[Tensor, " concepts"]:
    """1 for the largest score; equal scores share the mean of their ranks."""
    _, group, sizes = torch.unique(-scores, return_inverse=True, return_counts=True)
    last = sizes.cumsum(0).double()
    return (last - (sizes.double() - 1) / 2)[group]
