"""Workplaces: what a recipe, or the evaluation of a shard, finds around it."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import torch

from xbench.interfaces.artefact import Artefact
from xbench.interfaces.classifier import Classifier, Network


class Progress(Protocol):
    """Told how far a long piece of work has come."""

    def update(self, task: str, done: int, total: int, note: str = "") -> None:
        """`done` of `total` steps of `task` are finished; `note` says how it goes."""

    def say(self, line: str) -> None:
        """A line that is to stay in sight."""


class Silent:
    """Progress that nobody watches."""

    def update(self, task: str, done: int, total: int, note: str = "") -> None:
        """Do nothing."""

    def say(self, line: str) -> None:
        """Say nothing."""


class Workplace(ABC):
    """Where work is done: a device, a batch size, a reporter, and networks kept loaded."""

    device: torch.device
    batch_size: int
    scratch: Path
    """A local folder for what an unfinished build wants to find again after a kill."""
    progress: Progress

    @abstractmethod
    def network(self, classifier: Classifier, weights: Artefact) -> Network:
        """The classifier with these weights; loaded at first use and then kept for a while."""

    @abstractmethod
    def stage(self, name: str) -> AbstractContextManager[None]:
        """Count the wall seconds of a block towards a stage."""
