"""A run that is killed goes on where it was, to the same record."""

import os
import signal
import subprocess
import sys
import time

import pytest

from command_line import timeless

MOMENTS = {
    "while training": lambda home, store: any((home / "scratch").glob("*.pt")),
    "in the middle of the entries": lambda home, store: len(list(store.glob("rows/*.parquet"))) > 2,
}


def kill_when(moment, arguments, home, store):
    """Start a run and kill it, without warning, at the moment."""
    command = [sys.executable, "-m", "xbench", "run", "--store", str(store), "--quiet", *arguments]
    environment = {**os.environ, "XBENCH_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as run:
        deadline = time.monotonic() + 120
        while run.poll() is None and time.monotonic() < deadline and not moment(home, store):
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        return run.wait()


@pytest.mark.slow
def test_a_run_killed_at_several_moments_ends_with_the_record_of_an_uninterrupted_one(
    xbench, tmp_path
):
    quick = ("-p", "dataset.train=160", "-p", "dataset.test=40", "-p", "training.epochs=3")
    quick = (*quick, "-p", "protocol.images=20")
    whole = xbench("run", "--store", tmp_path / "whole", "--json", *quick).json()
    home, store = tmp_path / "home", tmp_path / "store"
    codes = [kill_when(moment, quick, home, store) for moment in MOMENTS.values()]
    assert codes == [-signal.SIGKILL, -signal.SIGKILL]
    os.environ["XBENCH_HOME"] = str(home)
    resumed = xbench("run", "--store", store, "--json", *quick).json()
    assert list(map(timeless, whole)) == list(map(timeless, resumed))
