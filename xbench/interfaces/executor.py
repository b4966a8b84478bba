"""Executors run shards, here or elsewhere."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, TypeVar

from xbench.interfaces.component import Component
from xbench.interfaces.workplace import Workplace

Task = TypeVar("Task")
Result = TypeVar("Result")
Place = TypeVar("Place", bound=Workplace)


class Executor(Component):
    """Runs independent tasks, here or elsewhere."""

    kind: ClassVar[str] = "executor"

    @abstractmethod
    def run(
        self, work: Callable[[Task, Place], Result], tasks: Iterable[Task], workplace: Place
    ) -> Iterator[Result]:
        """Results in the order of the tasks, each as soon as it is there."""
