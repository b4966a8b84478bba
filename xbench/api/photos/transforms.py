"""How photos are fitted to a network of which no library says it."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from xbench.interfaces.classifier import PhotoTransform

USUAL = 224, 256
"""The side that is cut out of a photo, and the short side that this photo then has."""


def usual_transform(size: int) -> PhotoTransform:
    """Resize the short side to 256/224 of `size`, bilinear, and cut out the middle."""
    from torchvision import transforms

    side, short = USUAL
    steps = transforms.Compose(
        [
            transforms.Resize(round(size * short / side)),
            transforms.CenterCrop(size),
            transforms.ToTensor(),
        ]
    )
    transform: PhotoTransform = steps
    return transform


def unfitted(photo: Any) -> Float[Tensor, "3 h w"]:
    """The photo as it is."""
    from torchvision.transforms import functional

    image: Tensor = functional.pil_to_tensor(photo)
    return image.to(torch.float32) / 255
