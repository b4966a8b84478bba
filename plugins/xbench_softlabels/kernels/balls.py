"""Balls: the images within a distance of an image, in single precision and exactly."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Float32, Float64
from torch import Tensor


class Ball(NamedTuple):
    """All images between two images, pixel by pixel."""

    low: Float32[Tensor, "n 3 h w"]
    high: Float32[Tensor, "n 3 h w"]

    def nearest(self, images: Float32[Tensor, "n 3 h w"]) -> Float32[Tensor, "n 3 h w"]:
        """The images of the ball that are nearest to these."""
        return images.clamp(self.low, self.high)

    def corners(
        self, images: Float32[Tensor, "n 3 h w"], directions: Float[Tensor, "n 3 h w"]
    ) -> Float32[Tensor, "n 3 h w"]:
        """Each pixel as far as the ball goes along its direction's sign; those of sign 0 stay."""
        raised = torch.where(directions > 0, self.high, images)
        return torch.where(directions < 0, self.low, raised)


def ball(images: Float32[Tensor, "n 3 h w"], radius: float) -> Ball:
    """The images in [0, 1] of which no pixel differs from the image's by more than `radius`.

    Exactly so: x ± ε is rounded towards x where it is no number of single precision.
    """
    exact = images.double()
    reach = below(torch.tensor(radius, dtype=torch.float64)).double()
    low, high = (exact - reach).clamp(min=0), (exact + reach).clamp(max=1)
    return Ball(-below(-low), below(high))


def below(values: Float64[Tensor, "*shape"]) -> Float32[Tensor, "*shape"]:
    """The largest numbers of single precision that are not above these."""
    rounded = values.float()
    lower = torch.nextafter(rounded, torch.full_like(rounded, -torch.inf))
    return torch.where(rounded.double() > values, lower, rounded)
