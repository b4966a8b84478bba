"""Global random generators that belong to a block, and are after it what they were."""

import contextlib
import random
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType

import numpy as np
import torch

_NUMPY_SEEDS = 2**32
_PLACES = ((random, "seed"), (np.random, "seed"))
"""Whose states do not tell a new seed from many draws: there the call itself is noted."""
_SEED_PYTHON, _SEED_NUMPY = random.seed, np.random.seed
"""As they are outside of blocks: a block within a block seeds unnoticed."""


@contextlib.contextmanager
def own_randomness(
    seed: int,
    devices: Iterable[torch.device] = (),
    say_reseeded: Callable[[str], None] = lambda _: None,
) -> Iterator[None]:
    """The global generators of Python, numpy and torch are seeded in this block, and restored.

    Code that draws from them gets the same numbers each time. Code that seeds them is told of
    through `say_reseeded`, once for each generator; a `from random import seed` from before the
    block is not noticed, and does as little harm.
    """
    cuda = [device for device in devices if device.type == "cuda"]
    with _python_and_numpy(), torch.random.fork_rng(devices=cuda):
        torch_seeds = _seed_all(seed, cuda)
        with contextlib.ExitStack() as noted:
            for module, name in _PLACES:
                noted.enter_context(_noting(module, name, say_reseeded))
            yield
        if _torch_seeds(cuda) != torch_seeds:
            say_reseeded("torch.manual_seed")


@contextlib.contextmanager
def _python_and_numpy() -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def _seed_all(seed: int, cuda: Iterable[torch.device]) -> list[int]:
    _SEED_PYTHON(seed)
    _SEED_NUMPY(seed % _NUMPY_SEEDS)
    torch.default_generator.manual_seed(seed)  # `torch.manual_seed` would seed all devices
    for device in cuda:
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    return _torch_seeds(cuda)


def _torch_seeds(cuda: Iterable[torch.device]) -> list[int]:
    seeds = [torch.default_generator.initial_seed()]
    for device in cuda:
        with torch.cuda.device(device):
            seeds.append(torch.cuda.initial_seed())
    return seeds


@contextlib.contextmanager
def _noting(module: ModuleType, name: str, say: Callable[[str], None]) -> Iterator[None]:
    original = getattr(module, name)
    calls: list[str] = []

    def noted(*arguments: object, **options: object) -> object:
        calls.append(name)
        return original(*arguments, **options)

    setattr(module, name, noted)
    try:
        yield
    finally:
        if getattr(module, name) is noted:
            setattr(module, name, original)
    if calls:
        say(f"{module.__name__}.{name}")
