"""The affine first part of a network's top: what a concept adds to it is the same for all images.

If top = R ∘ L and L is affine, then L(b + s) = L(b) + (L(s) − L(0)). The last term belongs to
the concept alone and is computed once; what is left for an image is R.
"""

import copy
import inspect
from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, fx, nn

from xbench.networks import first_kink, splits

MOST_BYTES = 2**30
"""What L may make of all concepts at most, unless the concepts themselves take more."""
CACHED_BYTES = 2**23
"""Points that go together through an R without weights: they should stay in the cache."""
WEIGHED_BYTES = 2**25
"""Points that go together through an R with weights."""
HEAVY = 2**28
"""Bytes of weights from which on reading them for every chunk costs more than a full cache."""
_FEW, _MANY = 16, 64
_INPLACE = "inplace"


class Parts(NamedTuple):
    """A top in two parts: `rest(first(activations))` is what it makes of activations."""

    first: nn.Module
    """Affine; the identity where nothing is."""
    rest: nn.Module
    """May overwrite its input where `first` is not the identity."""


class MovedTop(nn.Module):
    """A top with all concepts' displacements of its activations, or of their affine image."""

    displacements: Tensor

    def __init__(self, parts: Parts, displacements: Float[Tensor, "concepts ..."]) -> None:
        super().__init__()
        self.first, self.rest = parts
        self.register_buffer("displacements", displacements, persistent=False)

    @property
    def split(self) -> bool:
        """Whether the top has an affine first part."""
        return not isinstance(self.first, nn.Identity)

    @property
    def rows(self) -> int:
        """How many points go through `rest` together: what was measured to be fastest."""
        weights = sum(parameter.nbytes for parameter in self.rest.parameters())
        most, room = _MANY, WEIGHED_BYTES
        if self.displacements.device.type == "cpu" and weights < HEAVY:
            most, room = (_FEW, WEIGHED_BYTES) if weights else (_MANY, CACHED_BYTES)
        return max(1, min(most, room // max(1, self.displacements[:1].nbytes)))


def moved_top(
    top: nn.Module,
    activations: Float[Tensor, "n d h w"],
    displacements: Float[Tensor, "concepts d h w"],
) -> MovedTop:
    """The top, split, with what the concepts add; `activations` are an example of its input.

    It holds at most `MOST_BYTES`, or as much as `displacements`, and shares its layers with
    `top`. What goes through its parts is not counted by the hooks of `top`.
    """
    most = max(MOST_BYTES, displacements.nbytes) // max(1, len(displacements))
    parts = affine_parts(top, activations, most)
    if isinstance(parts.first, nn.Identity):
        return MovedTop(parts, displacements)
    with torch.no_grad():
        return MovedTop(parts, _images_under(parts.first, displacements))


def affine_parts(top: nn.Module, activations: Float[Tensor, "n d h w"], most: int) -> Parts:
    """The split after the longest first part that is proven affine.

    What the first part makes of one image takes at most `most` bytes.
    """
    parts = Parts(nn.Identity(), top)
    for first, rest in _affine_splits(top):
        size = _bytes_of_one(first, activations[:1])
        if size is not None and size <= most:
            parts = Parts(first, rest)
    if isinstance(parts.rest, fx.GraphModule) and parts.rest is not top:
        _overwrite_input(parts.rest)
    return parts


def _affine_splits(top: nn.Module) -> Iterator[tuple[fx.GraphModule, fx.GraphModule]]:
    if not isinstance(top, fx.GraphModule):
        return
    for first, rest in splits(top):
        if first_kink(first) is not None:
            return
        yield first, rest


def _bytes_of_one(first: nn.Module, example: Float[Tensor, "1 d h w"]) -> int | None:
    """What it makes of one image takes; None if it is no tensor with one row for each image."""
    with torch.no_grad():
        single, triple = first(example), first(example.expand(3, -1, -1, -1))
    if not (isinstance(single, Tensor) and single.is_floating_point()):
        return None
    if single.shape[:1] != (1,) or triple.shape != (3, *single.shape[1:]):
        return None
    return single.nbytes


def _images_under(
    first: nn.Module, displacements: Float[Tensor, "concepts d h w"]
) -> Float[Tensor, "concepts ..."]:
    """L(s) − L(0) for every displacement s."""
    at_zero = first(torch.zeros_like(displacements[:1]))
    images = at_zero.new_empty((len(displacements), *at_zero.shape[1:]))
    for start in range(0, len(displacements), _MANY):
        chunk = displacements[start : start + _MANY]
        torch.sub(first(chunk), at_zero, out=images[start : start + _MANY])
    return images


def _overwrite_input(rest: fx.GraphModule) -> None:
    """Let the first operation work in place where it can, on the input and on nothing else."""
    placeholder = next(node for node in rest.graph.nodes if node.op == "placeholder")
    users = list(placeholder.users)
    if len(users) != 1:
        return
    operation = users[0]
    if operation.op == "call_module":
        layer = rest.get_submodule(str(operation.target))
        if hasattr(layer, _INPLACE):
            rest.add_submodule(_INPLACE, _working_in_place(layer))
            operation.target = _INPLACE
    elif operation.op == "call_function" and _takes_inplace(operation.target):
        operation.update_kwarg(_INPLACE, True)
    rest.recompile()


def _working_in_place(layer: nn.Module) -> nn.Module:
    """A copy that works in place; the layer may be used elsewhere, where it must not."""
    layer_copy = copy.copy(layer)
    setattr(layer_copy, _INPLACE, True)
    return layer_copy


def _takes_inplace(target: object) -> bool:
    try:
        return callable(target) and _INPLACE in inspect.signature(target).parameters
    except ValueError:  # a built-in function without a signature
        return False
