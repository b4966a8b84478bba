"""The executor that needs nothing but this process."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from xbench.interfaces.executor import Executor, Place, Result, Task
from xbench.interfaces.hookspecs import hookimpl


@dataclass(frozen=True)
class LocalExecutor(Executor):
    """Runs tasks one after the other in this process.

    Where a device runs out of memory the batch size is halved and the task repeated.
    """

    name: ClassVar[str] = "local"

    def run(
        self, work: Callable[[Task, Place], Result], tasks: Iterable[Task], workplace: Place
    ) -> Iterator[Result]:
        """Results in the order of the tasks."""
        for task in tasks:
            yield _fitting(work, task, workplace)


def _fitting(work: Callable[[Task, Place], Result], task: Task, workplace: Place) -> Result:
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
