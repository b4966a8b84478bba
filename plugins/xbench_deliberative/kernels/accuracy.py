"""Precision, recall and IoU of regions at many coverages, without a loop over coverages."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor


class PrecisionRecall(NamedTuple):
    """Precision and recall of each region at each coverage."""

    precision: Float64[Tensor, "q coverages"]
    recall: Float64[Tensor, "q coverages"]


def precision_recall(
    ranks: Int64[Tensor, "q parts"],
    ambiguous: Bool[Tensor, "q parts"],
    visible: Bool[Tensor, "q parts"],
    sizes: Int64[Tensor, " coverages"],
) -> PrecisionRecall:
    """P = J / |visible parts in r| and R = J / |ambiguous visible parts|.

    J counts the ambiguous visible parts in r, the region of the `sizes` first pixels; a
    part lies in r if its pixel's rank is below the size. P is NaN where no visible part
    lies in r, R where the pair has no ambiguous visible part.
    """
    inside = (ranks[:, :, None] < sizes) & visible[:, :, None]
    hits = (inside & ambiguous[:, :, None]).sum(1).double()
    total = (ambiguous & visible).sum(1, keepdim=True)
    return PrecisionRecall(hits / inside.sum(1), hits / total)


def overlap_counts(
    ranks: Int64[Tensor, "q pixels"],
    labels: Int64[Tensor, "q pixels"],
    parts: int,
    sizes: Int64[Tensor, " coverages"],
) -> Int64[Tensor, "q parts coverages"]:
    """|r ∩ p| for each part p and coverage; `labels` say which part a pixel shows, −1 for none.

    A pixel joins the region at the first coverage whose size exceeds its rank; one
    histogram over (part, that coverage) is then summed up along the coverages.
    """
    q, bins = len(ranks), len(sizes) + 1
    joins = torch.searchsorted(sizes, ranks, right=True)
    row = torch.arange(q, device=ranks.device)[:, None] * (parts + 1) + labels + 1
    histogram = torch.bincount((row * bins + joins).flatten(), minlength=q * (parts + 1) * bins)
    return histogram.view(q, parts + 1, bins)[:, 1:, :-1].cumsum(2)


def largest_overlap_iou(
    overlaps: Int64[Tensor, "q parts coverages"],
    areas: Int64[Tensor, "q parts"],
    ambiguous: Bool[Tensor, "q parts"],
    sizes: Int64[Tensor, " coverages"],
) -> Float64[Tensor, "q coverages"]:
    """|r ∩ p| / |r ∪ p|, p the ambiguous part of largest overlap with r; NaN without any.

    Of parts with equal overlap the one with the best ratio counts.
    """
    unions = sizes + areas[:, :, None] - overlaps
    present = (ambiguous & (areas > 0))[:, :, None]
    reach = overlaps.masked_fill(~present, -1)
    best = present & (reach == reach.amax(1, keepdim=True))
    ratio = (overlaps.double() / unions).masked_fill(~best, -1).amax(1)
    return ratio.masked_fill(~present.any(1), torch.nan)


def union_iou(
    overlaps: Int64[Tensor, "q parts coverages"],
    areas: Int64[Tensor, "q parts"],
    ambiguous: Bool[Tensor, "q parts"],
    sizes: Int64[Tensor, " coverages"],
) -> Float64[Tensor, "q coverages"]:
    """|r ∩ U| / |r ∪ U|, U the union of all ambiguous parts; NaN without any."""
    inside = (overlaps * ambiguous[:, :, None]).sum(1)
    area = (areas * ambiguous).sum(1, keepdim=True)
    ratio = inside.double() / (sizes + area - inside)
    return ratio.masked_fill(area == 0, torch.nan)
