"""Modules as people bring them, made to take RGB images in single precision and to give logits.

What is added are hooks: the names of a module's weights stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from xbench.errors import MismatchError
from xbench.randomness import generator

_LUMINANCE = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601), as image libraries make grey images."""


def adapted(module: nn.Module, size: int) -> nn.Module:
    """The module without wrappers, in single precision, its lazy layers initialised.

    One that takes images of one channel gets grey ones. `size` is the side of its images. Of
    what it says itself nothing is changed: those of quantised modules stay as they are.
    """
    module = unwrapped(module)
    if any(_is_of_other_precision(tensor) for tensor in _tensors(module)):
        module = module.float()
    images = torch.rand(2, 3, size, size, generator=generator("example"))
    if _takes_one_channel(module, images):
        module.register_forward_pre_hook(_grey)
    if any(is_lazy(tensor) for tensor in _tensors(module)):
        _initialise(module, images)
    return module


def unwrapped(module: nn.Module) -> nn.Module:
    """The module inside wrappers for several devices or for compilation."""
    while True:
        inner = getattr(module, "_orig_mod", None)
        if isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            inner = module.module
        if not isinstance(inner, nn.Module):
            return module
        module = inner


def with_output(module: nn.Module, output: str) -> nn.Module:
    """The module with the part of what it makes that is called so in place of the whole.

    `output` is the key of a dictionary, a field, or a place in a tuple, from 0. The module
    raises `MismatchError` where there is no such part.
    """
    module.register_forward_hook(_Part(output))
    return module


def as_two_classes(module: nn.Module) -> nn.Module:
    """The module with (0, z) in place of its one logit z: its sigmoid is class 1's probability."""
    module.register_forward_hook(_two_classes)
    return module


@dataclass(frozen=True)
class _Part:
    """A forward hook that takes a part of what a module makes."""

    output: str

    def __call__(self, module: nn.Module, inputs: object, made: Any) -> Any:
        if isinstance(made, Mapping) and self.output in made:
            return made[self.output]
        if isinstance(made, (tuple, list)) and self.output.isdigit():
            place = int(self.output)
            if place < len(made):
                return made[place]
        elif self.output.isidentifier() and not isinstance(made, Tensor):
            part = getattr(made, self.output, None)
            if part is not None:
                return part
        name = type(module).__name__
        raise MismatchError(f"{name} makes {_described(made)}, which has no part {self.output!r}")


def _described(made: object) -> str:
    kind = type(made).__name__
    if isinstance(made, Mapping):
        return f"{kind} with {', '.join(map(repr, made))}"
    return f"{kind} of {len(made)}" if isinstance(made, (tuple, list)) else kind


def _two_classes(module: nn.Module, inputs: object, made: Tensor) -> Tensor:
    logit = made.reshape(-1, 1)
    return torch.cat([torch.zeros_like(logit), logit], dim=1)


def _grey(module: nn.Module, inputs: tuple[Float[Tensor, "n 3 h w"]]) -> tuple[Tensor]:
    red, green, blue = inputs[0].unbind(1)
    grey = _LUMINANCE[0] * red + _LUMINANCE[1] * green + _LUMINANCE[2] * blue
    return (grey.unsqueeze(1),)


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]


def _is_of_other_precision(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.dtype is not torch.float32


def _takes_one_channel(module: nn.Module, images: Tensor) -> bool:
    """Whether the module works on images of one channel, and on those of three does not."""
    convolutions = (one for one in module.modules() if isinstance(one, nn.Conv2d))
    first = next(convolutions, None)
    if first is None or first.in_channels != 1:
        return False
    return not _works(module, images) and _works(module, images[:, :1])


@torch.no_grad()
def _works(module: nn.Module, images: Tensor) -> bool:
    mode = module.training
    try:
        module.eval()(images)
    except (RuntimeError, TypeError, ValueError):
        return False
    finally:
        module.train(mode)
    return True


@torch.no_grad()
def _initialise(module: nn.Module, images: Tensor) -> None:
    mode = module.training
    module.eval()(images)
    module.train(mode)
