"""Heads: the last layer of a network, for another number of classes."""

from torch import nn

from xbench import WeightsError
from xbench.networks import head_layer


def replace_head(module: nn.Module, outputs: int, classes: int) -> nn.Module:
    """The module with a new last layer that has `classes` instead of `known` outputs."""
    name = head_layer(module, outputs)
    if not name:
        message = f"{type(module).__name__} has no layer with {outputs} outputs, so its head "
        raise WeightsError(message + f"cannot be replaced by one of {classes}")
    parent, _, last = name.rpartition(".")
    setattr(module.get_submodule(parent), last, _resized(module.get_submodule(name), classes))
    return module


def _resized(old: nn.Module, classes: int) -> nn.Module:
    bias = getattr(old, "bias", None) is not None
    if isinstance(old, nn.Linear):
        return nn.Linear(old.in_features, classes, bias=bias)
    if isinstance(old, nn.Conv2d) and old.kernel_size == (1, 1):
        return nn.Conv2d(old.in_channels, classes, 1, bias=bias)
    raise WeightsError(f"a head of type {type(old).__name__} cannot be replaced")
