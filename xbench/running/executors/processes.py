"""The executor of several processes on this machine."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any, ClassVar

from xbench.errors import ParameterError, RunError
from xbench.interfaces.executor import Done, Executor, Task, Work
from xbench.interfaces.hookspecs import hookimpl
from xbench.running.executors.sending import ATTEMPTS, do, packed, packed_work, user_modules_travel


@dataclass(frozen=True)
class ProcessesExecutor(Executor):
    """Runs tasks in processes of this machine, which keep networks from one task to the next."""

    name: ClassVar[str] = "processes"
    shared: ClassVar[bool] = True

    workers: int = 2
    threads: int = 0
    """Of a computation on the CPU in each worker; 0 shares the cores among them."""

    def __post_init__(self) -> None:
        """Refuse no workers."""
        if self.workers < 1 or self.threads < 0:
            raise ParameterError("executor.workers must be at least 1, executor.threads 0 or more")

    def worker_threads(self) -> int:
        """As many as were asked for, else each worker's share of the cores."""
        return self.threads or max(1, cores() // self.workers)

    def run(self, work: Work, tasks: Iterator[Task | None]) -> Iterator[Done]:
        """What became of the tasks, as they end; what a worker that died had is done again."""
        crew = _Crew(self.workers, work)
        try:
            with user_modules_travel(those_found=False):
                yield from crew.run(tasks)
        finally:
            crew.close()


def cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class _Crew:
    """Some processes, renewed when one of them dies."""

    def __init__(self, workers: int, work: Work) -> None:
        self.workers = workers
        self._work = packed_work(work)
        self._pool: ProcessPoolExecutor | None = None
        self._running: dict[Future[Done], Task] = {}
        self._again: list[Task] = []
        self._begun: Counter[str] = Counter()

    def run(self, tasks: Iterator[Task | None]) -> Iterator[Done]:
        """What became of the tasks."""
        while self._fill(tasks):
            ended, _ = wait(self._running, return_when=FIRST_COMPLETED)
            for future in ended:
                task = self._running.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    yield from self._lost(task)
                else:
                    yield future.result()

    def _fill(self, tasks: Iterator[Task | None]) -> bool:
        """Give tasks to the processes, one more than these can do at once; whether any runs."""
        while len(self._running) <= self.workers:
            task = self._again.pop() if self._again else next(tasks, None)
            if task is None:
                break
            self._submit(task)
        return bool(self._running)

    def _submit(self, task: Task) -> None:
        self._begun[task.key] += 1
        with _main_left_alone(), _quiet_tracker():
            if self._pool is None:
                self._pool = _pool(self.workers)
            try:
                future = self._pool.submit(do, self._work, packed(task))
            except BrokenProcessPool:
                self._pool.shutdown(wait=True)
                self._pool = _pool(self.workers)
                future = self._pool.submit(do, self._work, packed(task))
        self._running[future] = task

    def _lost(self, task: Task) -> Iterator[Done]:
        """A process died: what it and the others had begun is begun again, if not too often."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
            self._pool = None
        if self._begun[task.key] < ATTEMPTS:
            self._again.append(task)
            return
        message = f"the worker processes died {ATTEMPTS} times while task {task.key[:12]} ran"
        yield Done(task.key, {}, RunError(f"{message}; is there enough memory?"))

    def close(self) -> None:
        """Stop: nothing goes on."""
        if self._pool is None:
            return
        processes = list((self._pool._processes or {}).values())  # noqa: SLF001 - 3.14 has a method
        if self._running:
            for process in processes:
                process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pool = None


def _pool(workers: int) -> ProcessPoolExecutor:
    methods = multiprocessing.get_all_start_methods()
    method = "forkserver" if "forkserver" in methods else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["xbench.running.work"])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_enter)


def _enter() -> None:
    """Begin to be a worker: Ctrl-C is for the driver, and a worker ends with its driver."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()


def _follow(sentinel: int) -> None:
    """End with the driver, however it ended."""
    connection.wait([sentinel])
    os._exit(1)


@contextlib.contextmanager
def _quiet_tracker() -> Iterator[None]:
    """The process that tidies up after workers that are stopped begins without telling of it."""
    before = os.environ.get("PYTHONWARNINGS")
    own = "ignore::UserWarning:multiprocessing.resource_tracker"
    os.environ["PYTHONWARNINGS"] = f"{before},{own}" if before else own
    try:
        yield
    finally:
        os.environ.pop("PYTHONWARNINGS")
        if before is not None:
            os.environ["PYTHONWARNINGS"] = before


@contextlib.contextmanager
def _main_left_alone() -> Iterator[None]:
    """Processes that begin in this block do not run the script, or the notebook, that begins them.

    What of its own a task needs travels with the task by value.
    """
    main: dict[str, Any] = vars(sys.modules["__main__"])
    names: list[str] = [name for name in ("__file__", "__spec__") if name in main]
    kept: dict[str, Any] = {name: main.pop(name) for name in names}
    main["__spec__"] = None
    try:
        yield
    finally:
        main |= kept


@hookimpl
def register_executors() -> list[type[Executor]]:
    """Return the executor of several processes."""
    return [ProcessesExecutor]
