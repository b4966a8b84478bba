"""Sending: tasks as bytes that any process can read, and what it does with them."""

import contextlib
import functools
import pickle
import sys
import sysconfig
from collections.abc import Iterator
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from xbench.interfaces.executor import Done

ATTEMPTS = 12
"""How often a task is begun whose worker dies."""


def packed(value: Any) -> bytes:
    """The value as bytes; classes and functions of the running script travel with it."""
    data: bytes = cloudpickle.dumps(value)
    return data


def packed_work(work: Any) -> bytes:
    """What does tasks as bytes, and where the modules of the user are found."""
    path = [str(Path(place).absolute()) for place in sys.path]
    return pickle.dumps((path, packed(work)))


def do(work: bytes, task: bytes) -> Done:
    """Do a task in this process."""
    worker = _worker(work)  # before the task, whose modules it finds
    done: Done = worker(pickle.loads(task))  # noqa: S301 - the driver's own bytes
    return done


@functools.lru_cache(maxsize=1)
def _worker(work: bytes) -> Any:
    path, data = pickle.loads(work)  # noqa: S301 - the driver's own bytes
    sys.path += [place for place in path if place not in sys.path]
    return pickle.loads(data)  # noqa: S301 - the driver's own bytes


@contextlib.contextmanager
def user_modules_travel(*, those_found: bool = True) -> Iterator[None]:
    """In this block modules that no installed distribution has travel with what is packed.

    For workers on machines that have what is installed, and nothing of the user's folders.
    Workers of this machine need only those that are not found under their names.
    """
    modules = [module for module in user_modules() if those_found or not _found(module)]
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)


def user_modules() -> Iterator[ModuleType]:
    """Modules in use that are of no installed distribution, and not of Python."""
    installed = {*metadata.packages_distributions(), *_entry_point_packages(), "__main__"}
    own = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib")]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        foreign = file and not any(Path(file).is_relative_to(place) for place in own)
        if foreign and name.partition(".")[0] not in installed:
            yield module


def _found(module: ModuleType) -> bool:
    """Whether an import by the module's name would find it."""
    return PathFinder.find_spec(module.__name__.partition(".")[0]) is not None


def _entry_point_packages() -> set[str]:
    """Packages of plugins: those that are installed editable are listed nowhere else."""
    points = metadata.entry_points(group="xbench")
    return {"xbench", *(point.module.partition(".")[0] for point in points)}
