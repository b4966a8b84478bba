"""Gradients of what is explained at the pixels, and errors where there are none."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor

from xbench import MismatchError, Network, NumericalError
from xbench_saliency.maps.targets import Explained

COMPLAINTS = ("derivative", "not implemented", "does not require grad", "inplace", "in-place")
"""What torch's errors about missing derivatives speak of."""
WAY_OUT = "occlusion needs forward passes alone"


def pixel_gradients(
    network: Network, images: Float[Tensor, "n 3 h w"], what: Explained
) -> Float[Tensor, "n 3 h w"]:
    """∂(what is explained of each image) / ∂(its pixels), by one forward and one backward pass.

    `MismatchError` where the network passes no gradient on, `NumericalError` where it is no number.
    """
    pixels = images.detach().clone().requires_grad_()
    with torch.enable_grad(), derivatives_of(network.name):
        values = what.values(network.module(pixels))
        if not values.requires_grad:
            raise MismatchError(_message(network.name, "its logits have none"))
        (slopes,) = torch.autograd.grad(values.sum(), pixels, allow_unused=True)
    if slopes is None:
        raise MismatchError(_message(network.name, "its logits hang on no pixel"))
    if not torch.isfinite(slopes).all():
        raise NumericalError(
            f"the gradients of {network.name} are NaN or infinite; check its weights and these "
            f"images; {WAY_OUT}"
        )
    return slopes


@contextmanager
def derivatives_of(network: str, where: str = "at the pixels") -> Iterator[None]:
    """Turn torch's complaints about missing derivatives into `MismatchError`."""
    try:
        yield
    except (torch.OutOfMemoryError, MismatchError):
        raise
    except RuntimeError as error:
        reason = (str(error).splitlines() or [""])[0].rstrip(".")
        if not any(complaint in reason for complaint in COMPLAINTS):
            raise
        raise MismatchError(_message(network, reason, where)) from error


def _message(network: str, reason: str, where: str = "at the pixels") -> str:
    return f"{network} has no gradients {where}: {reason} (is part of it under no_grad?); {WAY_OUT}"
