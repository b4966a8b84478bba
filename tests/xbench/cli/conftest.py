"""Calling the command line from tests."""

import json
from typing import NamedTuple

import pytest

from xbench.cli import main


class Called(NamedTuple):
    """How a call of the command line ended."""

    code: int
    out: str
    err: str

    def json(self):
        """What was printed, as JSON."""
        return json.loads(self.out)


QUICK = (
    "-p",
    "dataset.train=160",
    "-p",
    "dataset.test=80",
    "-p",
    "training.epochs=1",
    "-p",
    "protocol.images=24",
)
"""A run of seconds."""


@pytest.fixture
def quick():
    return QUICK


@pytest.fixture
def xbench(capsys):
    """Calls `xbench` with these arguments."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(list(map(str, arguments)))
        out, err = capsys.readouterr()
        return Called(ended.value.code or 0, out, err)

    return call


@pytest.fixture(scope="session")
def annotated_birds(realdata):
    """The folder of the official annotations of birds, without photographs."""
    folder = realdata / "CUB_200_2011"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; name its folder in XBENCH_TEST_DATA")
    return folder
