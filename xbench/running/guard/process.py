"""What a process has set, and foreign code may leave set otherwise."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.backends import cudnn
from torch.nn.modules import module as module_hooks


class Setting(NamedTuple):
    """One thing that is set for the whole process."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    quiet: bool = False
    """Whether another value is put right and told of, and refuses nothing."""


class ProcessState(NamedTuple):
    """The values of all settings, in their order."""

    values: tuple[Any, ...]


class SettingChange(NamedTuple):
    """A setting that has another value."""

    setting: Setting
    before: Any
    after: Any

    def __str__(self) -> str:
        if isinstance(self.before, dict):
            return f"changed {self.setting.name}"
        return f"changed {self.setting.name} from {self.before} to {self.after}"


def process_state() -> ProcessState:
    """What is set now.

    Not looked at, because importing a library lazily changes them as well: filters of warnings,
    `sys.path`, environment variables.
    """
    return ProcessState(tuple(setting.read() for setting in SETTINGS))


def put_back(before: ProcessState) -> list[SettingChange]:
    """What is set otherwise than before, put back."""
    changes = []
    for setting, value in zip(SETTINGS, before.values, strict=True):
        now = setting.read()
        if now != value:
            setting.write(value)
            changes.append(SettingChange(setting, value, now))
    return changes


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        return ""  # somebody removed it


def _enter(folder: str) -> None:
    if folder:
        os.chdir(folder)


def _set_default_device(device: torch.device) -> None:
    # a default device that is set, be it the processor, slows down every call of torch
    torch.set_default_device(None if device.type == "cpu" else device)


def _autocast() -> tuple[bool, bool]:
    return torch.is_autocast_enabled("cpu"), torch.is_autocast_enabled("cuda")


def _set_autocast(enabled: tuple[bool, bool]) -> None:
    for device, one in zip(("cpu", "cuda"), enabled, strict=True):
        torch.set_autocast_enabled(device, one)


def _cuda_device() -> int | None:
    ready = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return torch.cuda.current_device() if ready else None


def _set_cuda_device(device: int | None) -> None:
    if device is not None:
        torch.cuda.set_device(device)


def _cudnn() -> dict[str, bool]:
    return {name: getattr(cudnn, name) for name in ("enabled", "benchmark", "deterministic")}


def _set_cudnn(flags: dict[str, bool]) -> None:
    for name, flag in flags.items():
        setattr(cudnn, name, flag)


def _global_hooks() -> dict[str, dict[int, Any]]:
    tables = {name: table for name, table in vars(module_hooks).items() if _is_global(name)}
    return {name: dict(table) for name, table in tables.items() if isinstance(table, dict)}


def _is_global(name: str) -> bool:
    return name.startswith("_global_")


def _set_global_hooks(hooks: dict[str, dict[int, Any]]) -> None:
    for name, table in hooks.items():
        there = getattr(module_hooks, name)
        there.clear()
        there.update(table)


SETTINGS = (
    Setting("the default dtype", torch.get_default_dtype, torch.set_default_dtype),
    Setting("the default device", torch.get_default_device, _set_default_device),
    Setting("the current CUDA device", _cuda_device, _set_cuda_device),
    Setting("the number of threads", torch.get_num_threads, torch.set_num_threads),
    Setting("whether gradients are enabled", torch.is_grad_enabled, torch.set_grad_enabled),
    Setting("whether autocast is enabled", _autocast, _set_autocast),
    Setting("anomaly detection", torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    Setting(
        "the use of deterministic algorithms",
        torch.get_deterministic_debug_mode,
        torch.set_deterministic_debug_mode,
    ),
    Setting(
        "the precision of matrix products",
        torch.get_float32_matmul_precision,
        torch.set_float32_matmul_precision,
    ),
    Setting("hooks of all modules", _global_hooks, _set_global_hooks),
    Setting("how numpy treats numerical errors", np.geterr, lambda how: np.seterr(**how)),
    Setting("the working directory", _folder, _enter),
    Setting("the flags of cuDNN", _cudnn, _set_cudnn, quiet=True),
)
"""In the order in which they are read and put back."""
