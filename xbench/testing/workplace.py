"""Workplaces and benches to try components at."""

from pathlib import Path

import torch

from xbench.running.bench import LocalBench
from xbench.running.storage.store import Store
from xbench.running.workplace import LocalWorkplace


def tiny_workplace(folder: Path, batch_size: int = 5) -> LocalWorkplace:
    """A workplace on the CPU with its scratch files in the folder, and with odd small batches."""
    return LocalWorkplace(torch.device("cpu"), batch_size, folder / "scratch")


def tiny_bench(folder: Path, batch_size: int = 5) -> LocalBench:
    """A bench at a tiny workplace, whose store is in the same folder."""
    return LocalBench(tiny_workplace(folder, batch_size), Store(str(folder / "store")))
