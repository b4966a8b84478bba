"""Rectifiers: ReLUs of a network, as modules that can be hooked and as functions that cannot."""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from xbench import MismatchError

_RELUS = {torch.ops.aten.relu, torch.ops.aten.relu_, torch.ops.aten.hardtanh}
_RELUS |= {torch.ops.aten.hardtanh_}  # ReLU6 is one, which Captum does not know
WAY_OUT = "take gradient or integrated-gradients"


class Rectifiers(NamedTuple):
    """How often a pass rectifies."""

    hookable: int
    """By modules `torch.nn.ReLU`."""
    all: int


def check_rectifiers(module: nn.Module, image: Float[Tensor, "1 3 h w"], network: str) -> None:
    """Raise `MismatchError` where a rule for ReLUs would pass some over, or all."""
    counts = rectifiers(module, image)
    if not counts.all:
        raise MismatchError(
            f"guided-backprop changes the gradients of ReLUs, and {network} has none; {WAY_OUT}"
        )
    if counts.hookable < counts.all:
        missed = counts.all - counts.hookable
        raise MismatchError(
            f"guided-backprop changes the gradients of ReLU modules, and {missed} of the "
            f"{counts.all} ReLUs in a pass through {network} are functions such as torch.relu, or "
            f"ReLU6, which cannot be hooked; make them torch.nn.ReLU, or {WAY_OUT}"
        )


def rectifiers(module: nn.Module, image: Float[Tensor, "1 3 h w"]) -> Rectifiers:
    """Counted in one pass."""
    hooked, seen = [], _Seen()
    modules = [one for one in module.modules() if isinstance(one, nn.ReLU)]
    handles = [one.register_forward_pre_hook(lambda *_: hooked.append(1)) for one in modules]
    try:
        with torch.no_grad(), seen:
            module(image)
    finally:
        for handle in handles:
            handle.remove()
    return Rectifiers(len(hooked), seen.count)


class _Seen(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operations that rectify, whoever calls them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func.overloadpacket in _RELUS
        return func(*args, **(kwargs or {}))
