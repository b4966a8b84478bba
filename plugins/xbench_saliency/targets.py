"""Targets: which class of an image is explained."""

from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from xbench import Batch, ParameterError

Target = Literal["predicted", "label"] | int
"""The most probable class, the image's label, or the class of a number."""


def target_classes(
    target: Target, logits: Float[Tensor, "n classes"], batch: Batch
) -> Int64[Tensor, " n"]:
    """The class of each image; `MismatchError` where labels are asked for and not known.

    `ParameterError` for a number that no class has.
    """
    if target == "label":
        return batch.known_labels().to(logits.device)
    if target == "predicted":
        return logits.argmax(1)
    if not 0 <= target < logits.shape[1]:
        message = f"target is {target}, and the network has the classes 0 to {logits.shape[1] - 1}"
        raise ParameterError(message)
    return torch.full((len(logits),), target, device=logits.device)
