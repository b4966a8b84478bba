"""Areas of masks: how far a mask is from a share of the image, and exactly that share of it."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

LARGEST_POWER, HALVINGS = 4.0, 30
"""Of 2, and how often the range of powers is halved in search of one."""


def area_loss(masks: Float[Tensor, "n h w"], areas: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """The mean squared difference between a mask's sorted values and those of an ideal mask.

    The ideal one has the share `areas` of ones and else zeros; where that is no whole number of
    cells, one cell has the rest. 0 exactly for masks of zeros and ones of this area.
    """
    ordered = masks.flatten(1).sort(1).values
    count = ordered.shape[1]
    places = torch.arange(1, count + 1, dtype=masks.dtype, device=masks.device)
    ideal = (places - count * (1 - areas[:, None])).clamp(0, 1)
    return (ordered - ideal).square().mean(1)


def with_areas(masks: Float[Tensor, "n h w"], areas: Float[Tensor, " n"]) -> Float[Tensor, "n h w"]:
    """The masks, each to the power at which the mean of its values is its area.

    Values in [0, 1] stay there, and none overtakes another. The power lies between 1/16 and 16: a
    mask that is too near to zeros and ones for its mean to follow comes as near as it can.
    """
    low, high = (torch.full_like(areas, sign * LARGEST_POWER) for sign in (-1, 1))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = _to_power(masks, middle).mean((1, 2)) > areas
        low, high = middle.where(above, low), high.where(above, middle)
    return _to_power(masks, (low + high) / 2)


def _to_power(masks: Float[Tensor, "n h w"], logs: Float[Tensor, " n"]) -> Float[Tensor, "n h w"]:
    return masks ** torch.exp2(logs)[:, None, None]


def strongest(maps: Float[Tensor, "*n h w"], area: float) -> Bool[Tensor, "*n h w"]:
    """The pixels of the largest values: exactly the share `area` of all, rounded to a whole number.

    Of equal values those that come first, row by row.
    """
    flat = maps.flatten(-2)
    order = flat.sort(dim=-1, descending=True, stable=True).indices
    chosen = order[..., : round(area * flat.shape[-1])]
    inside = torch.zeros_like(flat, dtype=torch.bool)
    return inside.scatter(-1, chosen, value=True).view(maps.shape)
