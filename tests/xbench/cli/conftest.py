"""Calling the command line from tests."""

import json
from typing import NamedTuple

import pytest

import cub_tree
from command_line import call_script
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


@pytest.fixture(scope="session")
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
def drawn_birds(realdata, tmp_path_factory):
    """Draws a tree of so many classes and images of each, with the official annotations."""
    source = realdata / "CUB_200_2011"
    if not source.is_dir():
        pytest.skip(f"no real data in {source}; name its folder in XBENCH_TEST_DATA")

    def draw(classes, images):
        out = tmp_path_factory.mktemp("birds") / "CUB_200_2011"
        sizes = ("--classes", classes, "--images-per-class", images)
        call_script(cub_tree, "--source", source, "--out", out, *sizes)
        return out

    return draw
