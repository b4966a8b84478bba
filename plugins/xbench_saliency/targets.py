"""Targets: which class of an image is explained."""

from typing import Literal

from jaxtyping import Float, Int64
from torch import Tensor

from xbench import Batch

Target = Literal["predicted", "label"]
"""The most probable class, or the image's label."""


def target_classes(
    target: Target, logits: Float[Tensor, "n classes"], batch: Batch
) -> Int64[Tensor, " n"]:
    """The class of each image; `MismatchError` where labels are asked for and not known."""
    if target == "label":
        return batch.known_labels().to(logits.device)
    return logits.argmax(1)
