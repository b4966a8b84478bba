"""How far raters agree."""

import torch
from jaxtyping import Float64, Int64
from torch import Tensor


def ordinal_alpha(counts: Int64[Tensor, "units values"]) -> Float64[Tensor, ""]:
    """Krippendorff's alpha for ordered values; 1 is agreement, 0 what chance would give.

    `counts` says how many raters gave a unit each value; units that fewer than two rated say
    nothing. NaN where nothing can be compared, or all ratings are the same. Krippendorff,
    Content Analysis, 2004, chapter 11, with the ordinal metric.
    """
    rated = counts[counts.sum(1) > 1].double()
    raters = rated.sum(1, keepdim=True)
    pairs = rated[:, :, None] * (rated[:, None, :] - torch.eye(counts.shape[1]).double())
    coincidences = (pairs / (raters - 1)[:, :, None]).sum(0)
    totals = coincidences.sum(1)
    distances = _ordinal_distances(totals)
    observed = (coincidences * distances).sum() * (totals.sum() - 1)
    expected = (totals[:, None] * totals[None, :] * distances).sum()
    return 1 - observed / expected


def _ordinal_distances(totals: Float64[Tensor, " values"]) -> Float64[Tensor, "values values"]:
    """The squared number of ratings between two values, half of those at either end counted."""
    middles = totals.cumsum(0) - totals / 2
    return (middles[:, None] - middles[None, :]) ** 2
