"""Progress: how far a long piece of work has come, told to whoever watches."""

from typing import Protocol


class Progress(Protocol):
    """Told how far a long piece of work has come."""

    def update(self, task: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` steps of `task` are finished; `note` says how it goes."""


class Silent:
    """Progress that nobody watches."""

    def update(self, task: str, done: int, total: int, note: str = "") -> None:
        """Do nothing."""
