"""Sending: tasks as bytes that any process can read, and what it does with them."""

import functools
import pickle
from typing import Any

import cloudpickle

from xbench.interfaces.executor import Done

ATTEMPTS = 12
"""How often a task is begun whose worker dies."""


def packed(value: Any) -> bytes:
    """The value as bytes; classes and functions of the running script travel with it."""
    data: bytes = cloudpickle.dumps(value)
    return data


def do(work: bytes, task: bytes) -> Done:
    """Do a task in this process."""
    done: Done = _loaded(work)(pickle.loads(task))  # noqa: S301 - the driver's own bytes
    return done


@functools.lru_cache(maxsize=1)
def _loaded(work: bytes) -> Any:
    return pickle.loads(work)  # noqa: S301 - the driver's own bytes
