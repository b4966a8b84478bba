"""The executor that needs nothing but this process."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from xbench.interfaces.executor import Done, Executor, Task, Work
from xbench.interfaces.hookspecs import hookimpl


@dataclass(frozen=True)
class LocalExecutor(Executor):
    """Runs tasks one after the other in this process.

    Where a device runs out of memory the batch size is halved and the task repeated.
    """

    name: ClassVar[str] = "local"
    shared: ClassVar[bool] = False

    threads: int = 0
    """Of a computation on the CPU; 0 leaves their number as it is."""

    def worker_threads(self) -> int:
        """As many as were asked for."""
        return self.threads

    def run(self, work: Work, tasks: Iterator[Task | None]) -> Iterator[Done]:
        """What became of the tasks, in their order."""
        for task in tasks:
            if task is None:
                raise RuntimeError("a plan waits for a task that was not given to run")
            yield work(task)


@hookimpl
def register_executors() -> list[type[Executor]]:
    """Return the executor that needs nothing but this process."""
    return [LocalExecutor]
