"""The strongest triplets (part, class, class) where most of them have no strength at all."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from xbench_deliberative.kernels.ambiguous_parts import ROUNDING


class SparseTriplets(NamedTuple):
    """The triplets that are kept, ordered by pair and then by part."""

    parts: Int64[Tensor, " kept"]
    pairs: Int64[Tensor, " kept"]
    """a · classes + b of the pair a < b; ascending."""
    strengths: Float64[Tensor, " kept"]
    threshold: float
    """The strength of the last one kept; NaN if there is none."""
    counted: int
    """How many triplets there are altogether, those without strength among them."""


def strongest_occurrences(
    phi: Float64[Tensor, "classes parts"], occurrence_threshold: float, share: float
) -> SparseTriplets:
    """G for scalar φ: α = ½(φa + φb) where both exceed the threshold, else 0.

    Kept are the `share` strongest of all triplets (part, unordered pair a ≠ b), those of
    strength 0 among the count but never kept: where fewer than the share have strength, G
    is all that have. Triplets as strong as the last one are kept too. Memory grows with
    what is kept and with the pairs of one part, never with parts × classes × classes.
    """
    classes, parts = phi.shape
    counted = parts * classes * (classes - 1) // 2
    wanted = max(1, round(share * counted))
    threshold = _strength_at_rank(phi, occurrence_threshold, wanted)
    triplets = [_of_part(phi, part, occurrence_threshold, threshold) for part in range(parts)]
    of_part, pairs, strengths = (torch.cat([columns[i] for columns in triplets]) for i in range(3))
    order = (pairs * parts + of_part).argsort()
    return SparseTriplets(of_part[order], pairs[order], strengths[order], threshold, counted)


def _strength_at_rank(
    phi: Float64[Tensor, "classes parts"], occurrence_threshold: float, rank: int
) -> float:
    """The `rank`-th largest strength of all, or the smallest if there are fewer."""
    strengths: list[Tensor] = []
    for part in range(phi.shape[1]):
        strengths.append(_pairs_of_part(phi, part, occurrence_threshold)[1])
        if sum(map(len, strengths)) > 2 * rank:
            strengths = [_largest(torch.cat(strengths), rank)]
    largest = _largest(torch.cat(strengths), rank)
    return float(largest.min()) if len(largest) else torch.nan


def _largest(strengths: Float64[Tensor, " q"], count: int) -> Float64[Tensor, " most"]:
    return strengths.topk(min(count, len(strengths)), sorted=False).values


def _of_part(
    phi: Float64[Tensor, "classes parts"],
    part: int,
    occurrence_threshold: float,
    threshold: float,
) -> tuple[Int64[Tensor, " kept"], Int64[Tensor, " kept"], Float64[Tensor, " kept"]]:
    pairs, strengths = _pairs_of_part(phi, part, occurrence_threshold)
    kept = strengths >= threshold - ROUNDING
    return torch.full_like(pairs[kept], part), pairs[kept], strengths[kept]


def _pairs_of_part(
    phi: Float64[Tensor, "classes parts"], part: int, occurrence_threshold: float
) -> tuple[Int64[Tensor, " q"], Float64[Tensor, " q"]]:
    """All pairs of classes that both show a part often enough, and their strengths."""
    often = (phi[:, part] > occurrence_threshold + ROUNDING).nonzero()[:, 0]
    a, b = often[torch.triu_indices(len(often), len(often), offset=1)]
    return a * len(phi) + b, (phi[a, part] + phi[b, part]) / 2


def parts_of_pairs(
    wanted: Int64[Tensor, "q 2"],
    pairs: Int64[Tensor, " kept"],
    parts: Int64[Tensor, " kept"],
    classes: int,
    count: int,
) -> Bool[Tensor, "q {count}"]:
    """Which of `count` parts each wanted pair, in either order, has among sorted triplets."""
    keys = wanted.amin(1) * classes + wanted.amax(1)
    first, last = torch.searchsorted(pairs, keys), torch.searchsorted(pairs, keys, right=True)
    lengths = last - first
    rows = torch.repeat_interleave(torch.arange(len(keys)), lengths)
    places = torch.arange(len(rows)) - (lengths.cumsum(0) - lengths)[rows] + first[rows]
    found = torch.zeros(len(keys), count, dtype=torch.bool)
    found[rows, parts[places]] = True
    return found
