"""A workplace to try components in."""

from pathlib import Path

import torch

from xbench.running.workplace import LocalWorkplace


def tiny_workplace(folder: Path, batch_size: int = 5) -> LocalWorkplace:
    """A workplace on the CPU with its scratch files in the folder, and with odd small batches."""
    return LocalWorkplace(torch.device("cpu"), batch_size, folder / "scratch")
