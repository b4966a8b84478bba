"""The state of modules: what foreign code could leave changed in them."""

import functools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from xbench.running.guard.tensors import Contents, same_bits

_CONTENTS = {"_parameters": "parameters", "_buffers": "buffers", "_modules": "submodules"}
_HOOKS = ("_hooks", "_with_kwargs", "_always_called")
"""How the names of a module's tables of hooks end."""
_QUIET = "_is_full_backward_hook"
"""Says what sort of hooks a module had last; that stays when they are removed."""
_SETTINGS = ("training", "forward", _QUIET)
"""What is looked at in modules of any class."""


class Change(NamedTuple):
    """What is different, and where."""

    what: str
    where: str
    to_stay: bool = False
    """Whether it cannot be put back."""


class Table(NamedTuple):
    """A dictionary of a module, and what it held."""

    itself: dict[Any, Any]
    held: dict[Any, Any]


class PartState(NamedTuple):
    """One module: what it is, what it has, and how it is set."""

    name: str
    module: nn.Module
    cls: type[nn.Module]
    tables: dict[str, Table]
    settings: dict[str, Any]


class TensorState(NamedTuple):
    """One parameter or buffer; those of the same storage stand here each for itself."""

    name: str
    tensor: Tensor
    form: tuple[Any, ...]
    requires_grad: bool
    stride: tuple[int, ...]
    grad: Tensor | None
    hooks: dict[Any, Any]


class ModuleState(NamedTuple):
    """Modules with all that is below them, each once, and their tensors."""

    parts: tuple[PartState, ...]
    tensors: tuple[TensorState, ...]
    contents: Contents
    """Of the tensors, in their order."""


def state_of(modules: Iterable[nn.Module]) -> ModuleState:
    """The state of the modules as it is now."""
    parts = tuple(_part(name, module) for name, module in _parts(modules))
    named = dict(_tensors(parts))
    states = tuple(_tensor(name, tensor) for tensor, name in named.items())
    return ModuleState(parts, states, Contents.of(list(named)))


def put_back(before: ModuleState) -> list[Change]:
    """What is different from before, put back where it can be.

    Tensors count by their values: one that another with equal ones took the place of, or that
    lies in another memory format, is put back and is no change.
    """
    changes = [change for part in before.parts for change in _part_put_back(part)]
    for state, changed in zip(before.tensors, before.contents.changed(), strict=True):
        changes += _tensor_put_back(state, changed=changed)
    return changes


def _parts(modules: Iterable[nn.Module]) -> Iterator[tuple[str, nn.Module]]:
    known: set[nn.Module] = set()
    for root in modules:
        for name, module in root.named_modules(known):
            yield name or type(module).__name__, module


def _part(name: str, module: nn.Module) -> PartState:
    tables, settings = dict[str, Table](), dict[str, Any]()
    constant = type(module).__module__.startswith("torch.nn.")
    for key, value in vars(module).items():
        if _is_table_name(key):
            if isinstance(value, dict):
                tables[key] = Table(value, dict(value))
        elif key in _SETTINGS or (constant and _is_plain(key, value)):
            settings[key] = value
    return PartState(name, module, type(module), tables, settings)


@functools.cache
def _is_table_name(key: str) -> bool:
    return key in _CONTENTS or key.endswith(_HOOKS)


def _is_plain(key: str, value: object) -> bool:
    """Whether it is a value of torch's own modules, such as a stride; others may keep counts."""
    return not key.startswith("_") and isinstance(value, (bool, int, float, str, tuple))


def _tensors(parts: Iterable[PartState]) -> Iterator[tuple[Tensor, str]]:
    for part in parts:
        for table in ("_parameters", "_buffers"):
            for name, tensor in part.tables[table].held.items():
                if tensor is not None:
                    yield tensor, f"{part.name}.{name}"


def _tensor(name: str, tensor: Tensor) -> TensorState:
    hooks = dict(tensor._backward_hooks or {})  # noqa: SLF001
    grad = tensor.grad if tensor.is_leaf else None
    needed, stride = tensor.requires_grad, _stride(tensor)
    return TensorState(name, tensor, _form(tensor), needed, stride, grad, hooks)


def _form(tensor: Tensor) -> tuple[Any, ...]:
    return (() if is_lazy(tensor) else tuple(tensor.shape), tensor.dtype, tensor.device)


def _stride(tensor: Tensor) -> tuple[int, ...]:
    return () if is_lazy(tensor) or tensor.layout is not torch.strided else tensor.stride()


def _part_put_back(part: PartState) -> list[Change]:
    changes = [*_class_changes(part), *_setting_changes(part)]
    for key, table in part.tables.items():
        now = vars(part.module).get(key, {})
        if now is table.itself and (not (now or table.held) or _identical(now, table.held)):
            continue  # most tables are of hooks, and empty
        changes += _table_changes(part, key, table.held, now)
        table.itself.clear()
        table.itself.update(table.held)
        vars(part.module)[key] = table.itself  # handles of hooks refer to this dictionary
    return changes


def _identical(one: dict[Any, Any], other: dict[Any, Any]) -> bool:
    """Whether two tables have the same entries in the same order."""
    pairs = zip(one.items(), other.items(), strict=False)
    return len(one) == len(other) and all(a == c and b is d for (a, b), (c, d) in pairs)


def _class_changes(part: PartState) -> Iterator[Change]:
    if type(part.module) is not part.cls:
        yield Change("changed the class of modules", part.name)
        part.module.__class__ = part.cls


def _setting_changes(part: PartState) -> Iterator[Change]:
    entries = vars(part.module)
    if "forward" in entries and "forward" not in part.settings:
        yield Change("replaced `forward` of modules", part.name)
        del entries["forward"]
    for key, value in part.settings.items():
        now = entries.get(key)
        if now is not value and now != value:
            entries[key] = value
            if key == "training":
                mode = "training" if now else "evaluation"
                yield Change(f"left modules in {mode} mode", part.name)
            elif key != _QUIET:
                yield Change(f"changed `{key}` of modules", part.name)


def _table_changes(
    part: PartState, key: str, before: dict[Any, Any], now: dict[Any, Any]
) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *now]):
        one, other = before.get(name), now.get(name)
        if one is other or (isinstance(one, Tensor) and _equal(one, other)):
            continue
        if key in _CONTENTS:
            yield Change(f"replaced {_CONTENTS[key]}", f"{part.name}.{name}")
        else:
            yield Change("left hooks or removed them", part.name)


def _equal(one: Tensor, other: Any) -> bool:
    same = isinstance(other, Tensor) and _form(one) == _form(other)
    return same and one.requires_grad == other.requires_grad and same_bits(one, other)


def _tensor_put_back(before: TensorState, *, changed: bool) -> Iterator[Change]:
    now = _tensor(before.name, before.tensor)
    if changed or now.form != before.form:
        yield Change("changed the values of parameters or buffers", before.name, to_stay=True)
    else:
        _lay_out_as_before(now, before)
    if now.requires_grad != before.requires_grad:
        before.tensor.requires_grad_(before.requires_grad)
        yield Change("changed `requires_grad`", before.name)
    if now.hooks != before.hooks:
        before.tensor._backward_hooks = before.hooks or None  # noqa: SLF001
        yield Change("left hooks or removed them", before.name)


def _lay_out_as_before(now: TensorState, before: TensorState) -> None:
    """Put back what is no change of values: the memory format, on which speed and rounding hang."""
    if now.grad is not before.grad:
        before.tensor.grad = before.grad
    if now.stride != before.stride:
        shape, dtype, device = now.form
        laid = torch.empty_strided(shape, before.stride, dtype=dtype, device=device)
        before.tensor.data = laid.copy_(now.tensor.detach())
