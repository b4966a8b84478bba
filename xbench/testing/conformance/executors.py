"""What executors must do."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial

from xbench.errors import RunError, UsageError
from xbench.interfaces.executor import Done, Executor, Task
from xbench.testing.conformance.rules import Beside, Rule

_FAILS = "errand 2"
_AT_FIRST = 2
"""Tasks that can begin before another one ends."""


def rules(executor: Executor, beside: Beside) -> Iterator[Rule]:
    """Beyond its declaration none where what it runs on is not installed."""
    yield Rule("declared", partial(_declared, executor))
    try:
        trial = Trial(executor)
        trial.ended  # noqa: B018 - a `UsageError` says what is missing
    except UsageError:
        return
    yield Rule("every task", trial.every_faults)
    yield Rule("own result", trial.own_faults)
    yield Rule("failures", trial.failure_faults)
    yield Rule("closed", partial(_closed, executor))


@dataclass(frozen=True)
class Errand:
    """A task that says its own name."""

    key: str
    affinity: str = "network"


def run_errand(task: Task) -> Done:
    """Say the task's name, or fail as a task does."""
    error = RunError("this one fails") if task.key == _FAILS else None
    return Done(task.key, {"said": f"I am {task.key}"}, error)


@dataclass(eq=False)
class Errands:
    """Tasks of which the later ones cannot begin before others end."""

    waiting: list[Errand] = field(default_factory=lambda: [Errand(f"errand {n}") for n in range(6)])
    given: int = 0
    ended: int = 0

    def __iter__(self) -> Iterator[Errand | None]:
        """Tasks as they can begin; None where one has to end first."""
        while self.waiting:
            if self.given - self.ended < _AT_FIRST:
                self.given += 1
                yield self.waiting.pop(0)
            else:
                yield None


@dataclass(frozen=True)
class Trial:
    """An executor, and what became of six tasks."""

    executor: Executor

    @cached_property
    def ended(self) -> list[Done]:
        """What it says of each."""
        errands, ended = Errands(), []
        for done in self.executor.run(run_errand, iter(errands)):
            errands.ended += 1
            ended.append(done)
        return ended

    def every_faults(self) -> Iterator[str]:
        """Each task is told of once."""
        keys = Counter(done.key for done in self.ended)
        for errand in Errands().waiting:
            if keys[errand.key] != 1:
                yield f"tells {keys[errand.key]} times what became of a task, not once"
        if keys.keys() - {errand.key for errand in Errands().waiting}:
            yield "tells of tasks that it was not given"

    def own_faults(self) -> Iterator[str]:
        """What is told of a task is what became of that one."""
        if any(done.facts.get("said") != f"I am {done.key}" for done in self.ended):
            yield "mixes up what became of tasks"

    def failure_faults(self) -> Iterator[str]:
        """A task that failed is told of as failed, and the others are not."""
        failed = [done.key for done in self.ended if isinstance(done.error, RunError)]
        if failed != [_FAILS]:
            yield f"says that {len(failed)} tasks failed where 1 did"


def _declared(executor: Executor) -> Iterator[str]:
    if not isinstance(getattr(type(executor), "shared", None), bool):
        yield "does not say whether its tasks run in other processes: `shared`"
    threads = executor.worker_threads()
    if not isinstance(threads, int) or threads < 0:
        yield f"says that a worker has {threads!r} threads"


def _closed(executor: Executor) -> Iterator[str]:
    running = executor.run(run_errand, iter(Errands()))
    next(running)
    close = getattr(running, "close", None)
    if close is None:
        yield "gives results by an iterator that cannot be closed"
    else:
        close()
