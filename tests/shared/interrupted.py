"""Work that is interrupted, and whether it ends the same."""

from collections.abc import Mapping

import torch
from torch import Tensor


class PowerError(Exception):
    """The power went off."""


class Recorder:
    """Progress that remembers, and pulls the plug at an update, if there is a last one."""

    def __init__(self, last: int | None = None) -> None:
        self.seen: list[tuple[str, int, int, str]] = []
        self.last = last
        self.lines: list[str] = []

    def update(self, task: str, done: int, total: int, note: str = "") -> None:
        self.seen.append((task, done, total, note))
        if len(self.seen) == self.last:
            raise PowerError

    def say(self, line: str) -> None:
        self.lines.append(line)


def equal(left: Mapping[str, Tensor], right: Mapping[str, Tensor]) -> bool:
    """The same tensors under the same names."""
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)
