"""From the values of a place's channels to one, and to the sign that is asked for."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor

Channels = Literal["sum", "mean", "abs-sum", "abs-max"]
"""How the values of a location's channels become one: their sum or mean with their signs, the sum
of their sizes, or the largest size."""
Sign = Literal["signed", "positive", "absolute"]
"""What of a map is kept: all, what is above 0 (the rest is 0), or sizes."""


def reduced(raw: Float[Tensor, "n d h w"], channels: Channels) -> Float[Tensor, "n h w"]:
    """One value for each location."""
    if channels == "mean":
        return raw.mean(1)
    if channels == "abs-max":
        return raw.abs().amax(1)
    return raw.abs().sum(1) if channels == "abs-sum" else raw.sum(1)


def with_sign(maps: Float[Tensor, "*n h w"], sign: Sign) -> Float[Tensor, "*n h w"]:
    """The maps with their signs, without what is below 0, or their sizes."""
    if sign == "positive":
        return maps.clamp(min=0)
    return maps.abs() if sign == "absolute" else maps
