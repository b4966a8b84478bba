"""A small benchmark that was run, and its entries as they were submitted."""

from typing import NamedTuple

import pytest

from small_boards import small_benchmark
from xbench import run, submit


class Ran(NamedTuple):
    """A run of the small benchmark."""

    file: object
    store: object
    submitted: object
    """The folder of its submissions, by name."""


@pytest.fixture(scope="package")
def ran(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XBENCH_HOME", str(folder / "home"))
        file, store = small_benchmark(folder), folder / "store"
        run(str(file), store=store, quiet=True)
        submit("1", folder / "submitted", contact="me", floors=True, store=store)
    return Ran(file, store, folder / "submitted")
