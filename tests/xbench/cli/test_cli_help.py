"""Help is quick and complete."""

import ast
import subprocess
import sys
from importlib import metadata

import pytest

from xbench.cli import VERBS
from xbench.components.registry import Registry, installed

HEAVY = ("torch", "torchvision", "timm", "captum", "matplotlib", "pyarrow", "sklearn", "numpy")

PLUGIN_COMMANDS = installed().names("command")


def imported_by(arguments):
    """Modules that a call imports, of those that are heavy or of plugins."""
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
    return ast.literal_eval(done.stderr.removeprefix("imported: "))


@pytest.mark.parametrize("arguments", [["list", "--help"], ["list"], ["run", "--help"]])
def test_help_of_a_verb_and_list_import_nothing_heavy_and_no_plugin(arguments):
    assert imported_by(arguments) == []


def test_help_imports_nothing_heavy_and_only_plugins_that_bring_a_command():
    packages = {name.partition(".")[0] for name in imported_by(["--help"])}
    assert packages == {installed().claim("command", name).module for name in PLUGIN_COMMANDS}


@pytest.mark.parametrize("name", PLUGIN_COMMANDS)
def test_help_says_what_a_command_of_a_plugin_does(xbench, name):
    first = xbench(name, "--help").out.split("\n\n")[1]
    assert f"{name} {' '.join(first.split())}" in " ".join(xbench("--help").out.split())


def test_help_says_who_provides_a_command_that_cannot_be_had(monkeypatch, xbench):
    claims = [("broken", "xbench_that_is_not_there"), ("twice", "one"), ("twice", "other")]
    points = [metadata.EntryPoint(f"command.{name}", of, "xbench") for name, of in claims]
    monkeypatch.setattr("xbench.components.registry.installed", lambda: Registry(points))
    called = xbench("--help")
    assert called.code == 0
    said = " ".join(called.out.split())
    assert "broken Not available: plugin" in said
    assert "No module named 'xbench_that_is_not_there'" in said
    assert "twice Not available: command 'twice' is claimed by" in said


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
