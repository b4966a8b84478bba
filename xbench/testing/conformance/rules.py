"""Rules: what a kind must do, each with a short name, and the faults of what breaks one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from xbench.interfaces.component import Component
from xbench.running.guard.block import guarded

Beside = Sequence[Component]
"""Components that something is tried with, such as an explainer for a protocol."""


class Fault(NamedTuple):
    """A rule that is broken, and how."""

    rule: str
    text: str

    def __str__(self) -> str:
        """Return both."""
        return f"[{self.rule}] {self.text}"


class Rule(NamedTuple):
    """A rule by its short name; `faults` are sentences without their subject."""

    name: str
    faults: Callable[[], Iterable[str]]


Kind = Callable[[Any, Beside], Iterable[Rule]]
"""The rules of a kind for one item; none where it cannot be tried here, such as without data."""


def unchanged(
    owner: Component, modules: Iterable[nn.Module], tensors: Mapping[str, Tensor]
) -> AbstractContextManager[None]:
    """A block in which the owner's code must leave modules and tensors as they are."""
    return guarded(owner, modules, 0, lambda _: None, tensors)


def close(one: Any, other: Any) -> bool:
    """Whether two tensors have one form, and values that differ by rounding only."""
    if not (isinstance(one, Tensor) and isinstance(other, Tensor)):
        return False
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if not one.is_floating_point():
        return torch.equal(one, other)
    return torch.allclose(one.double(), other.double(), atol=1e-5, equal_nan=True)


def all_close(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the same names have tensors that are close."""
    return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)


def form(value: Any) -> str:
    """What kind of value it is, in words: of a tensor its shape and type."""
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    return f"a tensor of shape {tuple(value.shape)} and type {str(value.dtype).split('.')[1]}"


def is_tensor(value: Any, shape: tuple[int, ...], *dtypes: torch.dtype) -> bool:
    """Whether it is a tensor of this shape (−1 for any size) and of one of these types, if any."""
    if not isinstance(value, Tensor) or value.ndim != len(shape):
        return False
    sizes = zip(value.shape, shape, strict=True)
    return all(wanted in (-1, size) for size, wanted in sizes) and value.dtype in (
        dtypes or (value.dtype,)
    )


def finite(value: Tensor) -> bool:
    """Whether all elements are numbers."""
    return bool(torch.isfinite(value).all())
