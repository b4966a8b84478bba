"""The executor of a Ray cluster: one that is there, or a local one for the time of the run."""

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from xbench.errors import ParameterError, RunError
from xbench.interfaces.executor import Done, Executor, Task, Work
from xbench.interfaces.hookspecs import hookimpl
from xbench.running.executors.sending import ATTEMPTS, do, packed, packed_work, user_modules_travel

OBJECT_STORE = 150 * 2**20
"""Bytes of a local cluster's object store: results lie in xbench's own store."""
STARTS = 3
"""How often a local cluster is begun that does not come up."""
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
LOCAL = {**QUIET, "RAY_OVERRIDE_NODE_IP_ADDRESS": "127.0.0.1"}
"""Set while a cluster starts: no telemetry, and nothing that listens to other machines."""


@dataclass(frozen=True)
class RayExecutor(Executor):
    """Runs tasks on a Ray cluster, whose workers keep networks from one task to the next.

    What a task makes goes to the store, which all nodes have to see. It needs `ray`, which
    `pip install "xbench-xai[ray]"` brings.
    """

    name: ClassVar[str] = "ray"
    shared: ClassVar[bool] = True

    address: str = ""
    """Of a cluster, such as "auto" or "ray://host:10001"; "" starts a local one."""
    workers: int = 2
    """How many tasks run at once."""
    threads: int = 1
    """Of a computation on the CPU in each worker; as many CPUs are requested for a task."""
    gpus: float = 0.0
    """Requested for a task."""
    memory: float = 0.0
    """GiB that are requested for a task; 0 requests none."""

    def __post_init__(self) -> None:
        """Refuse no workers, and requests below nothing."""
        if self.workers < 1 or self.threads < 1 or self.gpus < 0 or self.memory < 0:
            raise ParameterError(
                "executor.workers and executor.threads must be at least 1, executor.gpus and "
                "executor.memory 0 or more"
            )

    def worker_threads(self) -> int:
        """As many as CPUs are requested."""
        return self.threads

    def run(self, work: Work, tasks: Iterator[Task | None]) -> Iterator[Done]:
        """What became of the tasks, as they end; a task whose node died runs again."""
        with connected(self) as ray, user_modules_travel():
            remote = ray.remote(do).options(
                num_cpus=self.threads,
                num_gpus=self.gpus,
                max_retries=ATTEMPTS,
                **({"memory": int(self.memory * 2**30)} if self.memory else {}),
            )
            yield from _done(ray, remote, (self.workers, ray.put(packed_work(work))), tasks)


def _done(
    ray: Any, remote: Any, crew: tuple[int, Any], tasks: Iterator[Task | None]
) -> Iterator[Done]:
    workers, work = crew
    running: dict[Any, str] = {}
    try:
        while True:
            while len(running) <= workers and (task := next(tasks, None)) is not None:
                running[remote.remote(work, packed(task))] = task.key
            if not running:
                return
            ended, _ = ray.wait(list(running), num_returns=1)
            for reference in ended:
                yield _result(ray, reference, running.pop(reference))
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


def _result(ray: Any, reference: Any, key: str) -> Done:
    try:
        done: Done = ray.get(reference)
    except ray.exceptions.RayError as error:
        line = str(error).strip().splitlines()[0]
        return Done(key, {}, RunError(f"ray lost task {key[:12]}: {line}"))
    return done


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        message = "executor 'ray' needs the package ray: pip install 'xbench-xai[ray]', or choose "
        raise ParameterError(message + "the executor 'processes'") from error
    return ray


@contextlib.contextmanager
def connected(executor: RayExecutor) -> Iterator[Any]:
    """Ray, connected to the cluster; a connection that somebody else made is used, and left."""
    ray = _ray()
    if ray.is_initialized():
        yield ray
        return
    folders: list[str] = []
    try:
        _connect(ray, executor, folders)
        yield ray
    finally:
        ray.shutdown()
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def _connect(ray: Any, executor: RayExecutor, folders: list[str]) -> None:
    """Connect to the cluster, or start one; on a busy machine that may take a second try."""
    for attempt in range(1, STARTS + 1):
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if executor.address:
            options["address"] = executor.address
        else:
            # a short name: sockets lie below it, and their paths may have a hundred characters
            folders.append(tempfile.mkdtemp(prefix="xb-"))
            options |= _local_options(executor, folders[-1])
        try:
            with _environment(QUIET if executor.address else LOCAL):
                ray.init(**options)
        except Exception as error:
            ray.shutdown()
            if executor.address or attempt == STARTS:
                place = f"answers at {executor.address!r}" if executor.address else "can be started"
                raise RunError(f"no Ray cluster {place}: {error}") from error
        else:
            return


def _local_options(executor: RayExecutor, folder: str) -> dict[str, Any]:
    return {
        "num_cpus": executor.workers * executor.threads,
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE,
        "_temp_dir": folder,
    }


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@hookimpl
def register_executors() -> list[type[Executor]]:
    """Return the executor of a Ray cluster."""
    return [RayExecutor]
