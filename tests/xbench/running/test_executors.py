"""Every executor does every task once, whatever happens to its processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from small_tasks import SmallTask, SmallWork
from xbench.errors import ParameterError
from xbench.running.executors.local import LocalExecutor
from xbench.running.executors.processes import ProcessesExecutor
from xbench.running.executors.ray import RayExecutor

EXECUTORS = [LocalExecutor(), ProcessesExecutor(workers=2)]
SHARED = Path(__file__).parents[2] / "shared"


def ids(executor):
    return executor.name


def alive(pid):
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids, seconds=60.0):
    """Whether all these processes end within the time."""
    end = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(alive, pids))


@pytest.mark.parametrize("executor", EXECUTORS, ids=ids)
def test_every_task_is_told_of_once(executor, tmp_path):
    tasks = [SmallTask(f"task {n}", str(tmp_path)) for n in range(20)]
    done = list(executor.run(SmallWork(), iter(tasks)))
    assert sorted(d.key for d in done) == sorted(task.key for task in tasks)
    assert all(d.error is None and d.facts["begun"] == 1 for d in done)


@pytest.mark.parametrize("executor", EXECUTORS, ids=ids)
def test_an_error_of_a_task_is_told_and_the_others_go_on(executor, tmp_path):
    tasks = [SmallTask(key, str(tmp_path)) for key in ("a", "bad", "c")]
    done = {d.key: d for d in executor.run(SmallWork(), iter(tasks))}
    assert str(done["bad"].error) == "bad went wrong"
    assert done["a"].error is done["c"].error is None


@pytest.mark.parametrize("executor", EXECUTORS, ids=ids)
def test_a_task_that_waits_for_others_comes_after_them(executor, tmp_path):
    ended, events = set(), []

    def tasks():
        first = [SmallTask("first", str(tmp_path), 0.3), SmallTask("beside", str(tmp_path))]
        yield from first
        while not {"first", "beside"} <= ended:
            yield None
        yield SmallTask("last", str(tmp_path))

    for done in executor.run(SmallWork(), tasks()):
        ended.add(done.key)
        events.append(done.key)
    assert events[-1] == "last"
    assert sorted(events) == ["beside", "first", "last"]


@pytest.mark.parametrize("executor", EXECUTORS, ids=ids)
def test_nothing_to_do_is_done_at_once(executor):
    assert list(executor.run(SmallWork(), iter(()))) == []


def test_two_processes_work_at_the_same_time(tmp_path):
    tasks = [SmallTask(str(n), str(tmp_path), 0.5) for n in range(6)]
    done = list(ProcessesExecutor(workers=2).run(SmallWork(), iter(tasks)))
    assert len({d.facts["process"] for d in done}) == 2
    assert os.getpid() not in {d.facts["process"] for d in done}


def test_a_worker_that_is_killed_is_replaced_and_its_task_done_again(tmp_path):
    tasks = [SmallTask(str(n), str(tmp_path), dies=3 if n == 2 else 0) for n in range(6)]
    done = {d.key: d for d in ProcessesExecutor(workers=2).run(SmallWork(), iter(tasks))}
    assert sorted(done) == list("012345")
    assert done["2"].facts["begun"] == 4


def test_a_task_whose_workers_always_die_fails_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("xbench.running.executors.processes.ATTEMPTS", 2)
    tasks = [SmallTask("deadly", str(tmp_path), dies=100)]
    (done,) = ProcessesExecutor(workers=1).run(SmallWork(), iter(tasks))
    assert "the worker processes died 2 times while task deadly ran" in str(done.error)
    assert "is there enough memory?" in str(done.error)


def test_no_process_is_left_when_the_results_are_no_longer_wanted(tmp_path):
    tasks = [SmallTask("quick", str(tmp_path)), SmallTask("slow", str(tmp_path), 60)]
    results = ProcessesExecutor(workers=2).run(SmallWork(), iter(tasks))
    done = next(results)
    assert done.key == "quick"
    while not list(tmp_path.glob("slow.*")):
        time.sleep(0.05)
    (slow,) = tmp_path.glob("slow.*")
    results.close()
    assert gone([int(slow.name.split(".")[1])])


SCRIPT = """
import sys
sys.path.insert(0, {shared!r})
from small_tasks import SmallTask, SmallWork
from xbench.running.executors.{module} import {executor}

class Own(SmallWork):
    "Of the script itself."

tasks = [SmallTask(str(n), {folder!r}, {seconds}) for n in range(3)]
print(sorted(done.key for done in {executor}(workers=2).run(Own(), iter(tasks))))
"""


def script(tmp_path, seconds=0.0, module="processes", executor="ProcessesExecutor"):
    """A script that runs small tasks and has no guard around what it does."""
    text = SCRIPT.format(
        shared=str(SHARED), folder=str(tmp_path), seconds=seconds, module=module, executor=executor
    )
    path = tmp_path / "script.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize("way", ["a file", "standard input"])
def test_processes_work_from_a_script_without_a_guard(tmp_path, way):
    path = script(tmp_path)
    options = {"input": path.read_text()} if way == "standard input" else {}
    command = [sys.executable] if options else [sys.executable, str(path)]
    options |= {"capture_output": True, "text": True, "timeout": 120, "check": False}
    done = subprocess.run(command, **options)  # noqa: PLW1510 - check stands in the options
    assert (done.stdout, done.stderr) == ("['0', '1', '2']\n", "")


def test_workers_end_with_a_driver_that_is_killed(tmp_path):
    driver = subprocess.Popen([sys.executable, str(script(tmp_path, seconds=120))])
    try:
        while len(list(tmp_path.glob("?.*.0"))) < 2:
            assert driver.poll() is None
            time.sleep(0.05)
        workers = [int(path.name.split(".")[1]) for path in tmp_path.glob("?.*.0")]
        assert all(map(alive, workers))
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    assert gone(workers)


@pytest.mark.parametrize("numbers", [{"workers": 0}, {"threads": -1}])
@pytest.mark.parametrize("executor", [ProcessesExecutor, RayExecutor])
def test_impossible_numbers_are_refused(executor, numbers):
    with pytest.raises(ParameterError, match=r"executor\.workers"):
        executor(**numbers)


def test_cores_are_shared_among_workers_unless_threads_are_asked_for(monkeypatch):
    monkeypatch.setattr("xbench.running.executors.processes.cores", lambda: 8)
    assert ProcessesExecutor(workers=3).worker_threads() == 2
    assert ProcessesExecutor(workers=20).worker_threads() == 1
    assert ProcessesExecutor(workers=2, threads=3).worker_threads() == 3
    assert LocalExecutor().worker_threads() == 0
