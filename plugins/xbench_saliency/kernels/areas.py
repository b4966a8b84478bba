"""Areas of masks: how far a mask is from a share of the image, and exactly that share of it."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


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


def strongest(maps: Float[Tensor, "*n h w"], area: float) -> Bool[Tensor, "*n h w"]:
    """The pixels of the largest values: exactly the share `area` of all, rounded to a whole number.

    Of equal values those that come first, row by row.
    """
    flat = maps.flatten(-2)
    order = flat.sort(dim=-1, descending=True, stable=True).indices
    chosen = order[..., : round(area * flat.shape[-1])]
    inside = torch.zeros_like(flat, dtype=torch.bool)
    return inside.scatter(-1, chosen, value=True).view(maps.shape)
