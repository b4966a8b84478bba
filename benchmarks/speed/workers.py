"""What a second worker brings, beside what a second bare process brings.

python benchmarks/speed/workers.py shards|trainings [PAIRS [EXECUTOR]]

does the same tasks, in turn: by one worker of the executor, by two, by one bare process, and by
two that share the tasks out before they begin; one thread each. Time runs from when all are
ready. Printed are the seconds of each pair, and at the end the speed-ups and their ratio.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cloudpickle
import torch

from xbench import (
    Build,
    Done,
    Evaluate,
    LocalBench,
    LocalWorkplace,
    Plan,
    ProcessesExecutor,
    RayExecutor,
    Setting,
    Store,
    Worker,
    load_benchmark,
)

EXECUTORS = {"processes": ProcessesExecutor, "ray": RayExecutor}
SHARDS = {"dataset": {"test": 16000}, "protocol": {"images": 13440, "selection": "all"}}
TRAININGS = {"training": {"epochs": 4}}
"""What is changed of `default`, and of `ces-spurious-toybirds`, which has seven models."""


@dataclass(frozen=True)
class Ready:
    """A task that only waits, so that a worker has started."""

    key: str
    affinity: str = ""

    def perform(self, bench: LocalBench) -> None:
        """Wait until the other workers have begun as well."""
        time.sleep(0.5)


def main(what: str, pairs: str = "5", executor: str = "processes") -> None:
    """Print seconds and ratios."""
    folder = Path(tempfile.mkdtemp(prefix="workers-"))
    (folder / "store").mkdir()
    tasks = prepared(what, folder / "store")
    print(f"{len(tasks)} tasks of {what}, executor {executor}, torch {torch.__version__}")
    ways = {"one": 1, "two": 2, "bare one": 1, "bare two": 2}
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(int(pairs)):
        for way, workers in ways.items():
            store = folder / "copy"
            shutil.rmtree(store, ignore_errors=True)
            shutil.copytree(folder / "store", store)
            setting = Setting(str(store), "cpu", 32, str(folder / "scratch"), 1, keep=False)
            run = bare if way.startswith("bare") else by_executor
            seconds[way].append(run(setting, tasks, workers, EXECUTORS[executor], folder))
        print({way: round(times[-1], 1) for way, times in seconds.items()}, flush=True)
    shutil.rmtree(folder)
    ours = [a / b for a, b in zip(seconds["one"], seconds["two"], strict=True)]
    theirs = [a / b for a, b in zip(seconds["bare one"], seconds["bare two"], strict=True)]
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    middle = {name: round(statistics.median(of), 3) for name, of in
              {"executor": ours, "bare": theirs, "ratio": ratios}.items()}  # fmt: skip
    print(json.dumps({**middle, "ratios": [round(ratio, 3) for ratio in ratios]}))


def prepared(what: str, url: Path) -> list[Build | Evaluate]:
    """The tasks that are timed; whatever they need lies in the store."""
    torch.set_num_threads(1)
    store = Store(str(url))
    bench = LocalBench(LocalWorkplace(torch.device("cpu"), 32, url / "scratch"), store, keep=False)
    if what == "shards":
        benchmark = load_benchmark("default", changes=SHARDS)
    else:
        benchmark = load_benchmark("ces-spurious-toybirds", changes=TRAININGS)
    plan, timed = Plan([benchmark], bench, None, 0.0), []
    kind = Evaluate if what == "shards" else Build
    for task in plan.tasks():
        if task is None:
            break
        if isinstance(task, kind) and (kind is Evaluate or task.recipe.kind == "weights"):
            timed.append(task)
        elif kind is Evaluate:
            task.perform(bench)
            plan.finished(Done(task.key, {"kept": {}}))
    return timed[:53] if what == "shards" else timed[:7]


def by_executor(setting: Setting, tasks: list, workers: int, kind: type, folder: Path) -> float:
    """Seconds of the tasks by some workers, from when all of these are ready."""
    ended: set[str] = set()
    began = [0.0]

    def given() -> Iterator[object]:
        ready = [Ready(f"ready {place}") for place in range(workers)]
        yield from ready
        while len(ended) < workers:
            yield None
        began[0] = time.perf_counter()
        yield from tasks

    for one in kind(workers=workers, threads=1).run(Worker(setting), given()):
        if one.error is not None:
            raise one.error
        ended.add(one.key)
    return time.perf_counter() - began[0]


BARE = """
import pickle, sys, time
from pathlib import Path
work, ready, tasks = pickle.loads(Path(sys.argv[1]).read_bytes())
work(ready)
Path(sys.argv[1] + ".ready").touch()
while not Path(sys.argv[2]).exists():
    time.sleep(0.01)
for task in tasks:
    done = work(task)
    if done.error is not None:
        raise done.error
"""


def bare(setting: Setting, tasks: list, workers: int, kind: type, folder: Path) -> float:
    """Seconds of the tasks by some processes that know their tasks beforehand."""
    go = folder / "go"
    go.unlink(missing_ok=True)
    processes, files = [], []
    for place in range(workers):
        file = folder / f"tasks-{place}"
        Path(f"{file}.ready").unlink(missing_ok=True)
        file.write_bytes(
            cloudpickle.dumps((Worker(setting), Ready("ready"), tasks[place::workers]))
        )
        files.append(file)
        processes.append(subprocess.Popen([sys.executable, "-c", BARE, str(file), str(go)]))
    while not all(Path(f"{file}.ready").exists() for file in files):
        time.sleep(0.05)
    go.touch()
    start = time.perf_counter()
    if any(process.wait() for process in processes):
        raise SystemExit("a bare process failed")
    return time.perf_counter() - start


if __name__ == "__main__":
    main(*sys.argv[1:])
