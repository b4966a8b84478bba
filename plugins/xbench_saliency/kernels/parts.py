"""What maps say of parts, and how well that goes with what parts do."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int, Int64
from scipy.stats import rankdata
from torch import Tensor, nn

from xbench_saliency.kernels.similarity import rank_correlations

LEAST = 3
"""Parts that a rank correlation needs."""
LEAST_PARTIALLED = 4
"""Parts that a partial one needs: of three it is always 1 or −1."""
FLAT = 1e-12
"""What rounding may leave of the share of ranks that area does not explain."""


def part_areas(masks: Int[Tensor, "n h w"], parts: int) -> Int64[Tensor, "n parts"]:
    """How many pixels show each part; −1 in a mask is none."""
    bins = _bins(masks, parts)
    counts = torch.bincount(bins.flatten(), minlength=len(masks) * (parts + 1))
    return counts.view(len(masks), parts + 1)[:, :parts]


def part_sums(
    maps: Float[Tensor, "n h w"], masks: Int[Tensor, "n h w"], parts: int
) -> Float64[Tensor, "n parts"]:
    """The sum of each map over the pixels of each part, in double precision.

    Values count in single precision, so that sums of equal ones are exact.
    """
    bins, weights = _bins(masks, parts), maps.float().double()
    sums = torch.bincount(bins.flatten(), weights.flatten(), minlength=len(maps) * (parts + 1))
    return sums.view(len(maps), parts + 1)[:, :parts]


def _bins(masks: Int[Tensor, "n h w"], parts: int) -> Int64[Tensor, "n h w"]:
    """A number for each image and part; what shows none is the last of its image."""
    labels = masks.long()
    own = torch.where(labels < 0, parts, labels)
    return own + (parts + 1) * torch.arange(len(masks), device=masks.device)[:, None, None]


def widened_sums(
    saliency: Float[Tensor, "h w"], mask: Int[Tensor, "h w"], parts: int, width: int
) -> Float64[Tensor, " parts"]:
    """The sum of a map over each part and what is at most `width` pixels away, corners included.

    So FunnyBirds sums maps, with 2: pixels near two parts count for both.
    """
    own = mask.long() == torch.arange(parts, device=mask.device)[:, None, None]
    side = 2 * width + 1
    wide = nn.functional.max_pool2d(own.float()[None], side, stride=1, padding=width)[0]
    return (wide.double() * saliency.double()).sum((1, 2))


def outside_share(saliency: Float[Tensor, "h w"], mask: Int[Tensor, "h w"]) -> float:
    """The share of a map's positive values that lies outside all parts; NaN if none is positive."""
    positive = saliency.double().clamp(min=0)
    total = positive.sum()
    if not total > 0:
        return float("nan")
    return float(positive[mask < 0].sum() / total)


def important_parts(
    sums: Float64[Tensor, " parts"], total: float, thresholds: Float64[Tensor, " t"]
) -> Bool[Tensor, "t parts"]:
    """Parts that hold more than a share of the whole map, for each share."""
    return sums > thresholds[:, None] * total


def part_map(mask: Int[Tensor, "h w"], values: Float[Tensor, " parts"]) -> Float[Tensor, "h w"]:
    """A map on which each pixel has the value of the part that it shows, 0 where it shows none."""
    return torch.cat([values, values.new_zeros(1)])[mask.long()]


def rank_correlation(
    values: Float64[np.ndarray, " parts"], drops: Float64[np.ndarray, " parts"]
) -> float:
    """Spearman's, equal values sharing their ranks; 0 where `values` are all equal.

    NaN where `drops` are, where there are fewer than three, or a number is missing.
    """
    if len(values) < LEAST:
        return float("nan")
    return float(rank_correlations(drops[None], values[None])[0])


def partial_rank_correlation(
    values: Float64[np.ndarray, " parts"],
    drops: Float64[np.ndarray, " parts"],
    areas: Float64[np.ndarray, " parts"],
) -> float:
    """The rank correlation of values and drops once what areas explain of both is taken away.

    0 where nothing else is in `values`, NaN where nothing else is in `drops`, where there are
    fewer than four, or a number is missing.
    """
    if len(values) < LEAST_PARTIALLED or not np.isfinite([*values, *drops]).all():
        return float("nan")
    of_values, of_drops = (_without(_ranks(one), _ranks(areas)) for one in (values, drops))
    if not of_drops.any():
        return float("nan")
    return _correlation(of_values, of_drops) if of_values.any() else 0.0


def _ranks(values: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " n"]:
    """Ranks about their mean."""
    ranks = rankdata(values)
    return np.asarray(ranks - ranks.mean())


def _without(
    ranks: Float64[np.ndarray, " n"], areas: Float64[np.ndarray, " n"]
) -> Float64[np.ndarray, " n"]:
    """What a straight line over the ranks of areas leaves of ranks; 0 if that is only rounding."""
    size = areas @ areas
    rest = ranks - (ranks @ areas / size) * areas if size else ranks
    return np.where(rest @ rest > FLAT * max(ranks @ ranks, 1.0), rest, 0.0)


def _correlation(one: Float64[np.ndarray, " n"], other: Float64[np.ndarray, " n"]) -> float:
    """Of values about their means; exactly 1 for equal ones."""
    return float(np.clip(one @ other / np.sqrt((one @ one) * (other @ other)), -1, 1))
