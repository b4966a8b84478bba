"""What a call of Captum is given where nobody says it: baselines, windows, features."""

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from xbench import UnknownNameError
from xbench_saliency.by_captum.methods import CaptumMethod

SQUARES = 8
"""Along each side: what is left out, or perturbed, together."""
SHAP = ("GradientShap", "DeepLiftShap")
"""Ends of names of methods that want several baselines."""
BASELINES = ("black", "black-and-white", "grey", "mean", "white")
_GREYS = {"black": (0.0,), "white": (1.0,), "grey": (0.5,), "black-and-white": (0.0, 1.0)}


def options_for(method: CaptumMethod, inputs: Float[Tensor, "n d h w"]) -> dict[str, Any]:
    """The options of a call: those that were given, and what Captum has no usable default for.

    `baselines` may be a name: `black`, `white`, `grey`, `black-and-white`, or `mean`, that of each
    channel over the image. Methods that want several get `black-and-white`. Features are squares,
    eight along each side, and a window is one of them.
    """
    accepted, given = method.accepted, dict(method.options)
    if "baselines" in accepted and any(name.endswith(SHAP) for name in method.hooks):
        given.setdefault("baselines", "black-and-white")
    if isinstance(given.get("baselines"), str):
        given["baselines"] = baselines(given["baselines"], inputs)
    if "feature_mask" in accepted:
        given.setdefault("feature_mask", squares(inputs))
    if "sliding_window_shapes" in accepted:
        given = {**windows(inputs), **given}
    return {key: _moved(value, inputs) for key, value in given.items()}


def baselines(name: str, inputs: Float[Tensor, "n d h w"]) -> Float[Tensor, "m d h w"]:
    """The pictures of this name."""
    if name == "mean":
        return inputs.mean(dim=(2, 3), keepdim=True).expand_as(inputs).clone()
    if name not in _GREYS:
        raise UnknownNameError("baselines", name, BASELINES)
    greys = inputs.new_tensor(_GREYS[name])[:, None, None, None]
    return greys.expand(-1, *inputs.shape[1:]).clone()


def squares(inputs: Float[Tensor, "n d h w"]) -> Int64[Tensor, "1 1 h w"]:
    """The number of the square that each place lies in, for all channels."""
    height, width = inputs.shape[-2:]
    down, along = (torch.arange(side) * min(SQUARES, side) // side for side in (height, width))
    return (down[:, None] * min(SQUARES, width) + along)[None, None]


def windows(inputs: Float[Tensor, "n d h w"]) -> dict[str, tuple[int, ...]]:
    """A window as large as a square, moved by half of it."""
    channels, *sides = inputs.shape[1:]
    size = [max(side // SQUARES, 1) for side in sides]
    return {
        "sliding_window_shapes": (channels, *size),
        "strides": (channels, *(max(side // 2, 1) for side in size)),
    }


def _moved(value: Any, inputs: Tensor) -> Any:
    return value.to(inputs.device) if isinstance(value, Tensor) else value
