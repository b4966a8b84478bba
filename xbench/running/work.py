"""Work: what a process does with a task, wherever it runs."""

import contextlib
import pickle
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch

from xbench.errors import RunError, UsageError, XbenchError
from xbench.interfaces import executor
from xbench.interfaces.executor import Done
from xbench.interfaces.workplace import Silent
from xbench.running.bench import LocalBench
from xbench.running.messages import Messages
from xbench.running.planning.tasks import Task
from xbench.running.storage.store import Store
from xbench.running.workplace import LocalWorkplace


@dataclass(frozen=True)
class Setting:
    """What a process has to know to do tasks of a run; plain, so that it can be sent."""

    store: str
    device: str
    batch_size: int
    scratch: str
    threads: int
    """Of a computation on the CPU; 0 leaves their number as it is."""
    keep: bool
    """Whether explanations are kept."""
    messages: str = ""
    """The folder in which processes tell of their progress; "" where nobody listens."""
    probe: str = ""
    """A file of the store that tells whether a process sees it."""


_BENCHES: dict[Setting, LocalBench] = {}
"""The bench of this process in a run: networks and artefacts outlive a task."""


@dataclass(frozen=True)
class Worker:
    """Does tasks in the process where it is called."""

    setting: Setting

    def __call__(self, task: executor.Task) -> Done:
        """What became of the task; what goes wrong is told, and never stops the process."""
        try:
            bench = _bench(self.setting)
            perform(cast("Task", task), bench)
            return Done(task.key, {"kept": bench.kept.newly_written()})
        except Exception as error:  # noqa: BLE001 - whatever a component raises
            return Done(task.key, {}, sendable(error))


def perform(task: Task, bench: LocalBench) -> None:
    """Do a task; where the device has too little memory, with half as large batches."""
    size = bench.workplace.batch_size
    try:
        while True:
            try:
                return task.perform(bench)
            except torch.OutOfMemoryError:
                if bench.workplace.batch_size == 1:
                    raise
                bench.workplace.batch_size //= 2
                torch.cuda.empty_cache()
    finally:
        bench.workplace.batch_size = size


def sendable(error: Exception) -> Exception:
    """The error, if it survives being sent to another process, else one that says the same."""
    text = "".join(traceback.format_exception(error))
    if isinstance(error, XbenchError) and _survives(error):
        return error
    told = RunError(f"{type(error).__name__}: {error}")
    told.add_note(text)
    return told


def _survives(error: Exception) -> bool:
    try:
        again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - whatever an error's own methods raise
        return False
    return type(again) is type(error) and str(again) == str(error)


@contextlib.contextmanager
def at_bench(setting: Setting, bench: LocalBench) -> Iterator[None]:
    """In this block tasks of the setting are done here at this bench."""
    before = torch.get_num_threads()
    if setting.threads:
        torch.set_num_threads(setting.threads)
    _BENCHES[setting] = bench
    try:
        yield
    finally:
        del _BENCHES[setting]
        torch.set_num_threads(before)


def _bench(setting: Setting) -> LocalBench:
    if setting not in _BENCHES:
        _BENCHES.clear()  # a worker that outlives a run holds networks of one
        _BENCHES[setting] = _made(setting)
    return _BENCHES[setting]


def _made(setting: Setting) -> LocalBench:
    if setting.threads:
        torch.set_num_threads(setting.threads)
    store = Store(setting.store)
    if setting.probe and not store.has(setting.probe):
        raise UsageError(
            f"store {setting.store!r} is not the same place for the worker processes; choose one "
            "that all of them see with --store, or the executor 'local'"
        )
    device, scratch = torch.device(setting.device), Path(setting.scratch)
    progress = Messages(Path(setting.messages)) if setting.messages else Silent()
    workplace = LocalWorkplace(device, setting.batch_size, scratch, progress)
    return LocalBench(workplace, store, keep=setting.keep)
