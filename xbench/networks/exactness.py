"""Whether a network that was cut is the one it was: in value bit for bit, and in gradient.

A graph has no gradients of its own making: what a module does without gradients, or with other
ones than its operations have, is lost when it is traced. Values alone do not show that.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from xbench.errors import CutError
from xbench.networks.tracing import identical
from xbench.randomness import generator

Computed = Callable[[Tensor], Tensor]
_GRADIENT_APART = 1e-5
"""Of its largest entry: what gradients may differ by."""
_ZERO = "its gradient is zero, cut or not: that shows nothing of how exact the cut is"
_NONE = "its own code cannot be differentiated: that its cut has its gradient is not shown"


def check_exact(whole: Computed, parts: Computed, example: Float[Tensor, "n 3 h w"]) -> list[str]:
    """Compare a module with its parts on noise, which is given, and on a smooth picture.

    `CutError` where logits, or their gradient in the images, are others. Returned is what cannot
    be shown: a gradient that is zero on both sides, or that the module does not have, proves
    nothing.
    """
    notes: dict[str, None] = {}
    for images in (example[:1], smooth_picture(example)):
        computed, of_parts = _computed(whole, images), _computed(parts, images)
        if not identical(computed.logits, of_parts.logits):
            raise CutError("cut, the network computes something else")
        if computed.gradient is None or of_parts.gradient is None:
            notes[_NONE] = None
            continue
        _check_gradient(computed.gradient, of_parts.gradient)
        if not computed.gradient.any():
            notes[_ZERO] = None
    return list(notes)


def _check_gradient(gradient: Tensor, of_parts: Tensor) -> None:
    largest, apart = float(gradient.abs().max()), float((gradient - of_parts).abs().max())
    if not apart <= _GRADIENT_APART * largest:
        raise CutError(
            "cut, the network has another gradient than before (the largest entry is "
            f"{largest:.3g}, they differ by {apart:.3g}): it has a backward pass of its own, or "
            "computes something without gradients, which a cut loses"
        )


def smooth_picture(example: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "1 3 h w"]:
    """Waves of another direction and phase in each channel, of the range of the example."""
    height, width = example.shape[-2:]
    rows = torch.linspace(0, 1, height, dtype=torch.float64)[:, None]
    columns = torch.linspace(0, 1, width, dtype=torch.float64)
    channels = range(example.shape[1])
    waves = [torch.sin(math.tau * ((1 + c) * rows + (2 - c / 2) * columns) + c) for c in channels]
    picture = torch.stack(waves)[None].to(example)
    low, high = example.amin((0, 2, 3), keepdim=True), example.amax((0, 2, 3), keepdim=True)
    return low + (high - low) * (picture + 1) / 2


class _Made(NamedTuple):
    """Logits, and the gradient of a random sum of them in the images, if it can be had."""

    logits: Tensor
    gradient: Tensor | None


def _computed(function: Computed, images: Tensor) -> _Made:
    point = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        logits = function(point * 1)  # no leaf: it may be written into
    weights = torch.randn(logits.shape, generator=generator("cut"), dtype=torch.float64).to(logits)
    if not logits.requires_grad:
        return _Made(logits.detach(), torch.zeros_like(images))
    try:
        (gradient,) = torch.autograd.grad((logits * weights).sum(), point, allow_unused=True)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError:  # it overwrote what its gradient needs
        return _Made(logits.detach(), None)
    return _Made(logits.detach(), torch.zeros_like(images) if gradient is None else gradient)
