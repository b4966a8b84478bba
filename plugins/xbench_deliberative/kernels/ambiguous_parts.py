"""How ambiguous a part is between two classes, and which parts count as ambiguous."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float64
from torch import Tensor


def smoothed(
    frequencies: Float64[Tensor, "classes values"], smoothing: float
) -> Float64[Tensor, "classes values"]:
    """φ: frequencies (per cent) plus `smoothing` percentage points, as rows that sum to 1."""
    raised = frequencies + smoothing
    return raised / raised.sum(1, keepdim=True)


def symmetric_divergence(
    phi: Float64[Tensor, "classes values"],
) -> Float64[Tensor, "classes classes"]:
    """D(φa‖φb) + D(φb‖φa) in nats for all pairs of rows, by two matrix products.

    Σ (p − q)(log p − log q) = p·log p + q·log q − p·log q − q·log p. Rows must be positive.
    """
    logs = phi.log()
    own = (phi * logs).sum(1)
    cross = phi @ logs.T
    return (own[:, None] + own[None, :] - (cross + cross.T)).clamp(min=0).fill_diagonal_(0)


def ambiguity_strength(
    phi: Float64[Tensor, "classes values"],
) -> Float64[Tensor, "classes classes"]:
    """γ(φa, φb) = exp(−{D(φa‖φb) + D(φb‖φa)}) for all pairs of classes; 1 where they agree."""
    return (-symmetric_divergence(phi)).exp()


def doubled_jensen_shannon(
    phi: Float64[Tensor, "classes values"],
) -> Float64[Tensor, "classes classes"]:
    """2·JS(φa, φb) in nats for all pairs of rows, one row of pairs at a time."""
    own = _negative_entropy(phi)
    rows = [own + own[a] - 2 * _negative_entropy((phi + phi[a]) / 2) for a in range(len(phi))]
    return torch.stack(rows)


def _negative_entropy(phi: Float64[Tensor, "classes values"]) -> Float64[Tensor, " classes"]:
    return torch.special.xlogy(phi, phi).sum(1)


ROUNDING = 1e-9
"""Scores that differ by no more than this are equal: rounding must not decide between them."""


class Strongest(NamedTuple):
    """The triplets (part, class, class) that are kept, and the score of the last one kept."""

    kept: Bool[Tensor, "parts classes classes"]
    threshold: float


def strongest_triplets(
    strengths: Float64[Tensor, "parts classes classes"], share: float
) -> Strongest:
    """G: the `share` strongest of all triplets (part, unordered pair a ≠ b).

    Triplets as strong as the last one are kept too, so equals are treated alike. Parts
    without attributes have NaN: they are not counted and never kept.
    """
    a, b = torch.triu_indices(strengths.shape[1], strengths.shape[1], offset=1)
    threshold = -_at_rank(strengths[:, a, b].neg(), share)
    return Strongest(_off_diagonal(strengths >= threshold - ROUNDING), threshold)


def lowest_triplets(
    divergences: Float64[Tensor, "parts classes classes"], share: float
) -> Strongest:
    """The `share` lowest of all triplets (part, a, b), ordered and with a = b among them.

    Pairs a = b (divergence 0) count towards the share but are not kept; parts without
    attributes have NaN: they are not counted and never kept.
    """
    threshold = _at_rank(divergences, share)
    return Strongest(_off_diagonal(divergences <= threshold + ROUNDING), threshold)


def _at_rank(scores: Float64[Tensor, "..."], share: float) -> float:
    """The largest of the lowest `share` of the scores that are numbers."""
    known = scores[~scores.isnan()]
    count = max(1, round(share * len(known)))
    return float(known.kthvalue(count).values)


def _off_diagonal(
    kept: Bool[Tensor, "parts classes classes"],
) -> Bool[Tensor, "parts classes classes"]:
    return kept & ~torch.eye(kept.shape[1], dtype=torch.bool)


def likelihood_ambiguity(
    likelihoods_a: Float64[Tensor, "q parts"], likelihoods_b: Float64[Tensor, "q parts"]
) -> Float64[Tensor, "q parts"]:
    """exp(−|log L_a − log L_b|): 1 where a part in this image speaks for neither class.

    0 where it is impossible under either class, or under both.
    """
    low, high = (
        torch.minimum(likelihoods_a, likelihoods_b),
        torch.maximum(likelihoods_a, likelihoods_b),
    )
    return torch.where(high > 0, low / high.where(high > 0, torch.ones_like(high)), low)
