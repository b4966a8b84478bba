"""Shells complete names, quickly and without importing what is heavy."""

import subprocess
import sys

import pytest
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from xbench.cli import VERBS, group
from xbench.components.registry import installed


def completed(*words):
    """What the last word can become, after the others."""
    *before, incomplete = words
    shell = ShellComplete(group, {}, "xbench", "_XBENCH_COMPLETE")
    return [item.value for item in shell.get_completions(list(before), incomplete)]


def test_verbs_are_completed():
    assert set(completed("")) >= {*VERBS}
    assert completed("comp") == ["compare"]


@pytest.mark.parametrize("verb", ["run", "train", "results", "export"])
@pytest.mark.parametrize("kind", ["benchmark", "dataset", "explainer", "classifier"])
def test_options_are_completed_with_the_components_of_their_kind(verb, kind):
    assert completed(verb, f"--{kind}", "") == list(installed().names(kind))


def test_words_are_completed_from_their_beginning_whatever_its_case():
    assert completed("run", "--explainer", "Deli") == ["deliberative"]
    assert completed("run", "--explainer", "zzz") == []


def test_variants_are_those_of_the_benchmark_that_stands_before(tmp_path):
    options = ("run", "--benchmark", "ces-low-level-toybirds", "--variant")
    assert completed(*options, "") == ["early", "smoke"]
    assert completed("run", "--variant", "") == []
    (tmp_path / "broken.toml").write_text("=")
    assert completed("run", "--benchmark", str(tmp_path / "broken.toml"), "--variant", "") == []


def test_benchmarks_may_be_files(tmp_path):
    (tmp_path / "mine.toml").touch()
    (tmp_path / "mine.txt").touch()
    place = f"{tmp_path}/m"
    assert completed("run", "--benchmark", place) == [str(tmp_path / "mine.toml")]


def test_kinds_and_then_names_of_the_kind_are_completed():
    assert completed("list", "cla") == ["classifier"]
    assert completed("show", "rec") == ["record"]
    assert completed("show", "loss", "cross") == ["cross-entropy"]
    assert completed("data", "get", "cifar100") == ["cifar100"]


@pytest.mark.parametrize("shell", [BashComplete, ZshComplete, FishComplete])
def test_each_shell_is_given_a_script(shell):
    assert "_XBENCH_COMPLETE" in shell(group, {}, "xbench", "_XBENCH_COMPLETE").source()


PROGRAM = """
import sys
from click.shell_completion import ShellComplete
from xbench.cli import group
shell = ShellComplete(group, {}, "xbench", "_XBENCH_COMPLETE")
assert shell.get_completions(["run", "--explainer"], "")
assert "torch" not in sys.modules and "numpy" not in sys.modules
"""


def test_a_shell_does_not_wait_for_libraries():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
