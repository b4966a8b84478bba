"""From attribution maps to ambiguity maps: eq. (1) for all images and pairs at once."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

Combination = Literal["product", "minimum", "geometric-mean"]


def candidate_classes(
    class_maps: Float[Tensor, "n classes h w"], candidates: int
) -> Bool[Tensor, "n classes h w"]:
    """C(i, j): the `candidates` classes of largest attribution at each location.

    A class whose attribution is not positive is no candidate there; equal attributions
    are taken in the order of the classes.
    """
    ranked = class_maps.sort(dim=1, descending=True, stable=True).indices
    chosen = torch.zeros_like(class_maps, dtype=torch.bool)
    chosen.scatter_(1, ranked[:, :candidates], True)
    return chosen & (class_maps > 0)


def class_pairs(classes: int, device: torch.device | None = None) -> Int64[Tensor, "pairs 2"]:
    """All unordered pairs of `classes` indices, the smaller index first."""
    return torch.triu_indices(classes, classes, offset=1, device=device).T


def co_occurring(candidates: Bool[Tensor, "n classes h w"]) -> Bool[Tensor, "n pairs"]:
    """Whether both classes of a pair are candidates at some common location."""
    a, b = class_pairs(candidates.shape[1], candidates.device).T
    return (candidates[:, a] & candidates[:, b]).flatten(2).any(2)


def ambiguity_maps(
    class_maps: Float[Tensor, "n classes h w"],
    difficulty_map: Float[Tensor, "n 1 h w"] | None,
    combination: Combination = "product",
) -> Float[Tensor, "n pairs h w"]:
    """Eq. (1) for every pair of classes: the combination of two class maps and the difficulty map.

    Maps must not be negative. Without a difficulty map the pair alone is combined.
    The minimum compares maps that were scaled to a largest value of 1. The geometric mean
    is the product's root: it orders locations as the product does, so regions are the same,
    but strengths differ, and with them the order of pairs.
    """
    a, b = class_pairs(class_maps.shape[1], class_maps.device).T
    if combination == "product":
        pairs = class_maps[:, a] * class_maps[:, b]
        return pairs if difficulty_map is None else pairs * difficulty_map
    if combination == "geometric-mean":
        roots = class_maps.pow(1 / (2 if difficulty_map is None else 3))
        pairs = roots[:, a] * roots[:, b]
        return pairs if difficulty_map is None else pairs * difficulty_map.pow(1 / 3)
    scaled = scaled_to_one(class_maps)
    pairs = torch.minimum(scaled[:, a], scaled[:, b])
    return pairs if difficulty_map is None else torch.minimum(pairs, scaled_to_one(difficulty_map))


def scaled_to_one(maps: Float[Tensor, "*n h w"]) -> Float[Tensor, "*n h w"]:
    """Maps divided by their largest absolute value; maps of zeros stay as they are."""
    peak = maps.abs().amax(dim=(-2, -1), keepdim=True)
    return maps / peak.where(peak > 0, torch.ones_like(peak))
