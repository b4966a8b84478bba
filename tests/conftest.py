"""What all tests share."""

import gc
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import torch
from click.testing import CliRunner
from hypothesis import settings
from jaxtyping import install_import_hook

# Shapes in signatures are checked in tests; before anything of ours is imported.
hook = install_import_hook(
    [
        "xbench.kernels",
        "xbench_ces.kernels",
        "xbench_deliberative.kernels",
        "xbench_explicable.kernels",
        "xbench_saliency.kernels",
        "xbench_softlabels.kernels",
    ],
    "beartype.beartype",
)

# Deadlines measure the machine, not the code.
settings.register_profile("project", max_examples=25, deadline=None)
settings.load_profile("project")

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """One thread here and in programs that tests start: processes do not fight over cores.

    Both have the same number, for some tests compare bits across processes. Another number in
    XBENCH_TEST_THREADS shows what depends on it.
    """
    threads = os.environ.get("XBENCH_TEST_THREADS") or "1"
    os.environ["OMP_NUM_THREADS"] = threads
    torch.set_num_threads(int(threads))


def pytest_collection_finish() -> None:
    """Modules and tests stay: no collection of garbage has to look through them."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Layers are initialised alike in each run, whichever tests a process had before.

    Else a small network of a test is now and then one that passes nothing on.
    """
    torch.manual_seed(0)


@pytest.fixture
def project() -> Path:
    """The project's root folder."""
    return ROOT


class Invoked(NamedTuple):
    """How a call of a command ended."""

    error: BaseException | None
    out: str

    def json(self) -> Any:
        """What was printed, as JSON."""
        return json.loads(self.out)


@pytest.fixture
def invoked() -> Callable[..., Invoked]:
    """Calls a command of a plugin with these arguments; errors that are not ours are raised."""

    def call(command: click.Command, arguments: Sequence[str]) -> Invoked:
        from xbench import XbenchError

        ended = CliRunner().invoke(command, arguments, standalone_mode=False)
        if ended.exception and not isinstance(ended.exception, XbenchError):
            raise ended.exception
        return Invoked(ended.exception, ended.stdout)

    return call


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real data, or a skip that says how to get it."""
    folder = Path(os.environ.get("XBENCH_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; name its folder in XBENCH_TEST_DATA")
    return folder


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    """A bench whose store and scratch files lie in the test's own folder."""
    from xbench.testing import tiny_bench

    return tiny_bench(tmp_path)


@pytest.fixture
def workplace(bench: Any) -> Any:
    """The workplace of the bench."""
    return bench.workplace


@pytest.fixture
def provider(bench: Any) -> Any:
    """Makes artefacts there, and keeps them in the test's own store."""
    return bench.provider


@pytest.fixture(scope="session", autouse=True)
def _known() -> Iterator[None]:
    """Runs do not measure how long a training takes; test_speed.py does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xbench.running.planning.forecast.training_seconds", lambda *of: 1.0)
        yield


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from or written to the user's own folders."""
    monkeypatch.setenv("XBENCH_HOME", str(tmp_path_factory.mktemp("home")))
