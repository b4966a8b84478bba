"""Whether a run whose processes are killed ends with the records of one that nobody touched.

python benchmarks/analysis/kills.py [MOMENTS [EXECUTOR [SEED]]]

runs a small benchmark once by `local`, then MOMENTS times (10) by two workers, of which one is
killed at a random moment, and as often with the driver killed, after which the same command is
given again. Prints for each whether the records are equal, whether a process is left ten seconds
later, and what is new in /dev/shm.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from equal_runs import differences, records

SIZE = ["dataset.train=400", "dataset.test=120", "training.epochs=3", "protocol.images=100"]
SHARED = Path("/dev/shm")  # noqa: S108 - it is only looked into
PATIENCE = 10.0
"""Seconds that processes have to end after their driver."""


def main(moments: str = "10", executor: str = "processes", seed: str = "0") -> int:
    """Print a line for each kill; 1 if anything was not as it should be."""
    folder, draws = Path(tempfile.mkdtemp(prefix="kills-")), random.Random(int(seed))  # noqa: S311
    shared = set(SHARED.iterdir())
    reference = folder / "reference"
    finish(reference, "local")
    start = time.monotonic()
    finish(folder / "timed", executor)
    seconds, bad = time.monotonic() - start, 0
    for victim in ("worker", "driver"):
        for number in range(int(moments)):
            store, moment = folder / f"{victim}-{number}", draws.uniform(0.05, 0.95) * seconds
            killed, left = kill(store, executor, victim, moment)
            finish(store, executor)
            same = not list(differences(records(reference), records(store), ""))
            new = sorted(str(path) for path in set(SHARED.iterdir()) - shared)
            bad += not same or bool(left) or bool(new)
            told = f"records {'equal' if same else 'DIFFER'}, left {left or 'nothing'}"
            shared_memory = f"shared memory {new or 'clean'}"
            print(f"{victim} killed after {moment:.1f} s ({killed}): {told}, {shared_memory}")
    shutil.rmtree(folder)
    return 1 if bad else 0


def command(store: Path, executor: str) -> list[str]:
    """What is run."""
    settings = [*SIZE, f"executor.name={executor}", "executor.threads=1"]
    if executor != "local":
        settings.append("executor.workers=2")
    options = [word for setting in settings for word in ("-p", setting)]
    words = ["-m", "xbench", "run", "--quiet", "--store", str(store), "--repeats", "2", *options]
    return [sys.executable, *words]


def environment(store: Path) -> dict[str, str]:
    """Scratch files of its own for each store."""
    return {**os.environ, "XBENCH_HOME": f"{store}-home"}


def finish(store: Path, executor: str) -> None:
    """Run to the end."""
    subprocess.run(
        command(store, executor), env=environment(store), check=True, stdout=subprocess.DEVNULL
    )


def kill(store: Path, executor: str, victim: str, moment: float) -> tuple[str, list[int]]:
    """Begin a run, kill one of its processes; what was killed, and which of them are left."""
    driver = subprocess.Popen(
        command(store, executor),
        env=environment(store),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(moment)
    family = descendants(driver.pid)
    if victim == "driver":
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        return f"{len(family)} descendants", remaining(family)
    while not (workers := [pid for pid in family if is_worker(pid)]):
        if driver.poll() is not None:
            return "the run ended before", [driver.pid]
        time.sleep(0.1)
        family = descendants(driver.pid)
    os.kill(workers[0], signal.SIGKILL)
    if driver.wait():
        return "the run failed", [driver.pid]
    return f"one of {len(workers)} workers", remaining(family)


def descendants(pid: int) -> list[int]:
    """All processes below a process."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, below = [], list(parents.get(pid, []))
    while below:
        found.append(below.pop())
        below += parents.get(found[-1], [])
    return found


def is_worker(pid: int) -> bool:
    """Whether a process is a child of the fork server, or a worker of Ray."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        above = Path(f"/proc/{parent}/cmdline").read_bytes()
    except OSError:
        return False
    return b"ray::" in words or (b"forkserver" in words and b"forkserver" in above)


def remaining(pids: list[int]) -> list[int]:
    """Which of these processes are still there after a while."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        pids = [pid for pid in pids if alive(pid)]
        if not pids:
            break
        time.sleep(0.1)
    return pids


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
