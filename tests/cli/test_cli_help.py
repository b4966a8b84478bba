"""Help is quick and complete."""

import subprocess
import sys

import pytest

from xbench.cli import VERBS

HEAVY = ("torch", "torchvision", "timm", "captum", "matplotlib", "pyarrow", "sklearn", "numpy")


@pytest.mark.parametrize("arguments", [["--help"], ["list", "--help"], ["list"], ["run", "--help"]])
def test_help_and_list_import_nothing_heavy_and_no_plugin(arguments):
    program = f"""
import sys
from xbench.cli import main
try:
    main({arguments!r})
except SystemExit as ended:
    assert not ended.code, ended.code
heavy = [name for name in {HEAVY!r} if name in sys.modules]
plugins = [name for name in sys.modules if name.startswith("xbench_")]
print("imported:", heavy + plugins, file=sys.stderr)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == "imported: []\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_says_what_it_does(xbench, verb):
    called = xbench(verb, "--help")
    assert called.code == 0
    assert called.out.startswith(f"Usage: xbench {verb}")
    assert VERBS[verb].split()[0] in called.out


def test_the_version_is_that_of_the_distribution(xbench):
    from xbench import __version__

    assert __version__ in xbench("--version").out


def test_an_unknown_verb_is_wrong_usage(xbench):
    called = xbench("rum")
    assert called.code == 2
    assert "rum" in called.err


def test_an_unknown_option_is_wrong_usage(xbench):
    called = xbench("run", "--explaner", "x")
    assert called.code == 2
    assert "--explainer" in called.err
