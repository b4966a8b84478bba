"""Operations by parts that torch differentiates forward twice, where it does not do the whole.

Forward mode over forward mode takes the mean and deviation in torch's own layer and instance
normalisation for constants, without saying so, and knows no derivative of two activations.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Values = Float[Tensor, "..."]
Weights = Float[Tensor, "..."] | None


def layer_norm(
    values: Values,
    shape: Sequence[int],
    weight: Weights = None,
    bias: Weights = None,
    eps: float = 1e-5,
    *_: object,
) -> Values:
    """Values minus their mean over the last dimensions, by their standard deviation."""
    dims = tuple(range(-len(shape), 0))
    centred = values - values.mean(dims, keepdim=True)
    scaled = centred * (centred.square().mean(dims, keepdim=True) + eps).rsqrt()
    scaled = scaled if weight is None else scaled * weight
    return scaled if bias is None else scaled + bias


def hardsigmoid(values: Values, *_: object, **__: object) -> Values:
    """0 below −3, 1 above 3, linear between."""
    return (values + 3).clamp(0, 6) / 6


def glu(values: Values, dim: int = -1) -> Values:
    """The first half of the values, gated by the second."""
    kept, gate = values.chunk(2, dim)
    return kept * gate.sigmoid()


def instance_norm(values: Float[Tensor, "n c *size"], *given: Any, **named: Any) -> Values:
    """Each channel of each image minus its mean, by its deviation, or by running statistics."""
    names = ("running_mean", "running_var", "weight", "bias", "use_input_stats", "momentum", "eps")
    options = dict(zip(names, given, strict=False)) | named
    eps = options.get("eps", 1e-5)
    weights = options.get("weight"), options.get("bias")
    if options.get("use_input_stats", True):
        return functional.group_norm(values, values.shape[1], *weights, eps)
    statistics = options.get("running_mean"), options.get("running_var")
    return functional.batch_norm(values, *statistics, *weights, eps=eps)


_INSTEAD: Mapping[Any, Callable[..., Tensor]] = {
    functional.layer_norm: layer_norm,
    torch.layer_norm: layer_norm,
    functional.instance_norm: instance_norm,
    torch.instance_norm: instance_norm,
    functional.hardsigmoid: hardsigmoid,
    functional.glu: glu,
}


class SmoothOperations(TorchFunctionMode):
    """While it is entered, operations are those of this module where it has them."""

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The operation by its parts, or as it is."""
        return _INSTEAD.get(func, func)(*args, **(kwargs or {}))
