"""Executors run shards; a workplace is what a shard or a recipe finds around it."""

import contextlib
import resource
import sys
import time
from abc import abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, TypeVar

import torch

from xbench.interfaces.artefact import Artefact
from xbench.interfaces.classifier import Classifier, Network
from xbench.interfaces.component import Component
from xbench.interfaces.hookspecs import hookimpl
from xbench.interfaces.progress import Progress, Silent

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(eq=False)
class Workplace:
    """Where work is done: a device, a batch size, a reporter, and networks kept loaded."""

    device: torch.device
    batch_size: int
    scratch: Path
    """A local folder for what an unfinished build wants to find again after a kill."""
    progress: Progress = field(default_factory=Silent)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Wall seconds by stage, of everything done here so far."""
    _networks: dict[str, Network] = field(default_factory=dict, repr=False)
    _passes: Counter[str] = field(default_factory=Counter, repr=False)

    def network(self, classifier: Classifier, weights: Artefact) -> Network:
        """The classifier with these weights, cut; loaded at first use and then kept."""
        from xbench.networks.network import load

        key = f"{weights.key}/{classifier.layer}"
        if key not in self._networks:
            self._passes = self.passes()
            self._networks.clear()  # one at a time: a big network fills a small device
            self._networks[key] = load(classifier, weights, self.device)
        return self._networks[key]

    def passes(self) -> Counter[str]:
        """Images that went forward and backward through networks here so far, by part."""
        total = Counter(self._passes)
        for network in self._networks.values():
            total.update(network.passes.snapshot())
        return total

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the wall seconds of a block towards a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start

    def peak_memory_mib(self) -> float:
        """Most memory held so far: of the device where it has its own, else of this process."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 2**20
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


class Executor(Component):
    """Runs independent tasks, here or elsewhere."""

    kind: ClassVar[str] = "executor"

    @abstractmethod
    def run(
        self, work: Callable[[Task, Workplace], Result], tasks: Iterable[Task], workplace: Workplace
    ) -> Iterator[Result]:
        """Results in the order of the tasks, each as soon as it is there."""


@dataclass(frozen=True)
class LocalExecutor(Executor):
    """Runs tasks one after the other in this process.

    Where a device runs out of memory the batch size is halved and the task repeated.
    """

    name: ClassVar[str] = "local"

    def run(
        self, work: Callable[[Task, Workplace], Result], tasks: Iterable[Task], workplace: Workplace
    ) -> Iterator[Result]:
        """Results in the order of the tasks."""
        for task in tasks:
            yield _fitting(work, task, workplace)


def _fitting(work: Callable[[Task, Workplace], Result], task: Task, workplace: Workplace) -> Result:
    while True:
        try:
            return work(task, workplace)
        except torch.OutOfMemoryError:
            if workplace.batch_size == 1:
                raise
            workplace.batch_size //= 2
            torch.cuda.empty_cache()


@hookimpl
def register_executors() -> list[type[Executor]]:
    """Return the executor that needs nothing but this machine."""
    return [LocalExecutor]
