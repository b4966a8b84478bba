"""What all tests share."""

import os
from pathlib import Path

import pytest
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
    ],
    "beartype.beartype",
)

# Deadlines measure the machine, not the code.
settings.register_profile("project", max_examples=25, deadline=None)
settings.load_profile("project")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def project() -> Path:
    """The project's root folder."""
    return ROOT


@pytest.fixture
def realdata() -> Path:
    """The folder of real data, or a skip that says how to get it."""
    folder = Path(os.environ.get("XBENCH_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; name its folder in XBENCH_TEST_DATA")
    return folder


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from or written to the user's own folders."""
    monkeypatch.setenv("XBENCH_HOME", str(tmp_path_factory.mktemp("home")))
