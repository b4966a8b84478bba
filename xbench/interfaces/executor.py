"""Executors run the tasks of a plan, here or elsewhere."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

from xbench.interfaces.component import Component


class Task(Protocol):
    """A piece of work that is described, not carried: it can be sent to another process."""

    @property
    def key(self) -> str:
        """What its result is called by."""

    @property
    def affinity(self) -> str:
        """Tasks that share it use the same network; one after the other they load it once."""


class Done(NamedTuple):
    """What became of a task. What it made lies in the store."""

    key: str
    facts: Mapping[str, Any]
    """Plain values, such as what it cost."""
    error: Exception | None = None
    """Why it failed, if it did."""


Work = Callable[[Task], Done]
"""Does a task in whatever process it is called in. It can be sent there by pickle; what goes
wrong in it stands in what it returns."""


class Executor(Component):
    """Runs tasks, in an order that it chooses.

    At equal threads and batch sizes results do not show where they were made.
    """

    kind: ClassVar[str] = "executor"
    shared: ClassVar[bool]
    """Whether tasks run in other processes, which then have to see the store."""

    @abstractmethod
    def worker_threads(self) -> int:
        """How many threads a computation on the CPU has in each worker; 0 for torch's own choice.

        A field `threads` of every executor says it.
        """

    @abstractmethod
    def run(self, work: Work, tasks: Iterator[Task | None]) -> Iterator[Done]:
        """What became of every task, each once, as soon as it is known and in any order.

        `tasks` gives the next one that can begin; None if none can before another ends; it is
        exhausted when nothing is left. When the iterator that this returns is closed, or raises,
        no work goes on and no process of it is left.
        """
