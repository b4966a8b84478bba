"""What a network gives, looked at once before anything is made of it."""

import torch
from jaxtyping import Float
from torch import Tensor

from xbench.errors import MismatchError, NumericalError
from xbench.interfaces.classifier import Network
from xbench.randomness import generator

_AS_EQUAL = 1e-4
"""Of the largest logit: what an image's logits may differ by, alone and in a batch."""


def check_outputs(network: Network, size: tuple[int, int]) -> list[str]:
    """Look at the logits of two images of a size (h, w), together and alone; what is to be said.

    `MismatchError` where they are not (n, classes), or depend on the other images of a batch;
    `NumericalError` where they are no numbers.
    """
    images = torch.rand(2, 3, *size, generator=generator("outputs")).to(network.device)
    together = _logits(network, images)
    alone = torch.cat([_logits(network, images[place : place + 1]) for place in range(2)])
    largest = float(together.abs().max())
    apart = float((together - alone).abs().max())
    if apart > _AS_EQUAL * max(largest, torch.finfo(together.dtype).tiny):
        raise MismatchError(
            f"{network.name} gives an image other logits alone than beside another image (they "
            f"differ by {apart:.2g}, the largest is {largest:.2g}): its scores would depend on "
            "the batch size. Normalise over an image, or by statistics of the training"
        )
    if _are_probabilities(together):
        line = f"{network.name} seems to give probabilities, of which xbench takes a softmax once "
        return [line + "more; leave its own out"]
    return []


def _logits(network: Network, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n classes"]:
    shape = "×".join(map(str, images.shape))
    try:
        with torch.no_grad():
            made = network.module(images)
    except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
        first = str(error).strip().partition("\n")[0]
        message = f"{network.name} fails on images of shape {shape}: {type(error).__name__}: "
        message += f"{first}. It must take a batch of RGB images and nothing else"
        raise MismatchError(message) from error
    if not isinstance(made, Tensor):
        message = f"{network.name} returns {type(made).__name__}, not one tensor of logits; say "
        raise MismatchError(message + "with `output` which part of it these are")
    _check_shape(network, made, len(images))
    if not torch.isfinite(made).all():
        message = f"{network.name} gives logits that are NaN or infinite for random images; "
        raise NumericalError(message + "check its weights")
    return made.detach()


def _check_shape(network: Network, made: Tensor, count: int) -> None:
    if tuple(made.shape) == (count, network.classes) and made.is_floating_point():
        return
    if made.dim() == 2 and made.shape[1] > 1 and len(made) == count:
        message = f"{network.name} gives {made.shape[1]} logits, and the dataset has "
        message += f"{network.classes} classes; give it a head for these"
    elif made.numel() == count and network.classes == 2:
        message = f"{network.name} gives one logit for two classes; declare that with "
        message += "`one_logit = true` (it is then that of class 1), or let it give two"
    else:
        shape = "×".join(map(str, made.shape))
        message = f"{network.name} gives {made.dtype} of shape {shape} for {count} images, not "
        message += f"logits of shape {count}×{network.classes}"
    raise MismatchError(message)


def _are_probabilities(logits: Float[Tensor, "n classes"]) -> bool:
    sums = logits.double().sum(1)
    return bool((logits >= 0).all() and torch.allclose(sums, torch.ones_like(sums), atol=1e-4))
