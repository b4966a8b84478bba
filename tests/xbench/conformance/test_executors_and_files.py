"""Mistakes of executors, commands, benchmark files and components as such are found."""

import itertools
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import ClassVar

import click
import pytest

from xbench.components.registry import Registry
from xbench.components.specification import Builder
from xbench.errors import PluginError
from xbench.interfaces.component import Component
from xbench.interfaces.executor import Done, Executor
from xbench.testing.conformance import executors
from xbench.testing.conformance.suite import check_component, faults_of
from xbench.testing.tiny import TinyLoss


class InTurn(Executor):
    """One task after another."""

    shared = False

    def worker_threads(self):
        return 0

    def run(self, work, tasks):
        for task in tasks:
            yield work(task)


def results(change):
    return {"run": lambda self, work, tasks: change(InTurn.run(self, work, tasks))}


def dropping(ended):
    return (done for place, done in enumerate(ended) if place != 3)


def twice(ended):
    for done in ended:
        yield done
    yield done


def mixed_up(ended):
    return (done._replace(key=f"errand {(place + 1) % 6}") for place, done in enumerate(ended))


def invented(ended):
    return itertools.chain(ended, [Done("another", {"said": "I am another"})])


def listed(self, work, tasks):
    return map(work, tasks)


MISTAKES = {
    "a task that is dropped": (results(dropping), "every task", "tells 0 times what became"),
    "a task that is told twice": (results(twice), "every task", "tells 2 times what became"),
    "a task that was not given": (results(invented), "every task", "that it was not given"),
    "results that are mixed up": (results(mixed_up), "own result", "mixes up what became of"),
    "a failure that is hidden": (
        results(lambda ended: (done._replace(error=None) for done in ended)),
        "failures",
        "says that 0 tasks failed where 1 did",
    ),
    "results that cannot be closed": ({"run": listed}, "closed", "cannot be closed"),
    "negative threads": ({"worker_threads": lambda self: -1}, "declared", "-1 threads"),
    "nothing said of processes": ({"shared": None}, "declared", "run in other processes"),
    "an error": (results(lambda ended: 1 / 0), "tried", "raises ZeroDivisionError"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_an_executor_is_named(planted, told, name):
    methods, rule, text = MISTAKES[name]
    assert told(planted(InTurn, methods), "executor", rule, text)


def test_an_executor_that_is_right_has_no_faults(planted):
    assert planted(InTurn, {}) == []


def test_errands_wait_for_each_other():
    errands = executors.Errands()
    given = iter(errands)
    assert [next(given).key, next(given).key, next(given)] == ["errand 0", "errand 1", None]
    errands.ended += 1
    assert next(given).key == "errand 2"


@click.command("planted")
@click.option("--count", type=int)
def silent(count):
    click.echo(count)


@click.group("planted")
def group():
    """Do things."""


group.add_command(silent, "below")


@click.command("planted")
def helpful():
    """Do one thing."""


def test_a_command_without_help_is_at_fault(faults, told):
    assert told(faults("command", "planted", silent), "command", "documented", "needs a docstring")
    assert told(faults("command", "planted", group), "command", "documented", "'planted' needs")
    assert faults("command", "planted", helpful) == []
    with pytest.raises(PluginError, match=r"^command 'planted': \[documented\] has no help"):
        check_component(silent)


BENCHMARK = """
name = "planted"
version = "1"
title = "Planted"
protocol = {name = "explicability", similarity = "hierarchy"}
dataset = "toybirds"
classifier = "small-cnn"
loss = "cross-entropy"
entries = [{label = "one"}]
[splits]
train = "train"
test = "test"
"""
FILES = {
    "another name": ('name = "planted"', 'name = "other"', "named", "calls itself 'other'"),
    "an unknown component": ("toybirds", "toybrids", "assembled", "did you mean 'toybirds'?"),
    "an unknown key": ("title", "tittle", "named", "unknown key in benchmark file"),
    "no entries": ("entries", "seed = 1 #", "named", "lacks 'entries'"),
    "floors alone": ('"one"', '"one", role = "floor"', "assembled", "at least one entry"),
    "an unknown parameter": ("[splits]", "[training]\nepoch = 1\n[splits]", "assembled", "'epoch'"),
    "an odd variant": (
        "[splits]",
        '[variants.smoke.loss]\nname = "none"\n[splits]',
        "variants",
        "unknown loss 'none'",
    ),
    "no TOML": ("[splits]", "[splits", "tried", "raises ParameterError"),
}


@pytest.fixture
def benchmark_file(tmp_path):
    def write(part, mistake):
        assert part in BENCHMARK
        path = tmp_path / "planted.toml"
        path.write_text(BENCHMARK.replace(part, mistake))
        return path

    return write


@pytest.mark.parametrize("name", FILES)
def test_a_mistake_in_a_benchmark_file_is_named(benchmark_file, faults, told, name):
    part, mistake, rule, text = FILES[name]
    assert told(
        faults("benchmark", "planted", benchmark_file(part, mistake)),
        "benchmark",
        rule,
        text,
    )


def test_a_mistake_in_a_suite_is_named(tmp_path, faults, told):
    path = tmp_path / "planted.toml"
    path.write_text('name = "planted"\nversion = "1"\nsuite = ["default", "defualt"]\n')
    assert told(faults("benchmark", "planted", path), "benchmark", "assembled", "'defualt'")
    path.write_text('name = "planted"\nversion = "1"\nsuite = ["default"]\n')
    assert faults("benchmark", "planted", path) == []


def test_a_benchmark_file_that_is_right_has_no_faults(benchmark_file, faults):
    path = benchmark_file("Planted", "Planted")
    assert faults("benchmark", "planted", path) == []
    check_component(path)


@dataclass
class Loose(TinyLoss.__base__):
    """A component that can be changed."""

    name: ClassVar[str] = "planted"

    def targets(self, batch, *, classes, epoch, generator):
        return TinyLoss().targets(batch, classes=classes, epoch=epoch, generator=generator)

    def score(self, logits, targets):
        return TinyLoss().score(logits, targets)


class Unsendable:
    """A value that stays where it is."""

    def __reduce__(self):
        raise TypeError("stays here")


FORMS = {
    "no docstring": ({"__doc__": " "}, "documented", "has no docstring"),
    "a version that is a number": ({"version": 2}, "named", "lacks the class attribute 'version'"),
    "parameters that are no plain values": (
        {"parameters": lambda self: {"numbers": (1, 2)}},
        "parameters",
        "has parameters that JSON cannot hold",
    ),
    "unequal to itself": (
        {"__eq__": lambda self, other: False},
        "equal",
        "is not equal to itself with the same parameters",
    ),
    "a value that cannot be sent": (
        {"__reduce__": lambda self: Unsendable().__reduce__()},
        "sendable",
        "raises TypeError: stays here",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_mistake_in_the_form_of_a_component_is_named(planted, told, name):
    methods, rule, text = FORMS[name]
    assert told(planted(TinyLoss, methods), "loss", rule, text)


def test_a_component_that_can_be_changed_is_at_fault(faults, told):
    assert told(faults("loss", "planted", Loose), "loss", "dataclass", "is not frozen")


def test_a_component_that_cannot_be_made_is_at_fault(planted, told):
    def refuse(self):
        raise KeyError("nothing")

    found = planted(TinyLoss, {"__post_init__": refuse})
    assert told(found, "loss", "built", "raises KeyError: 'nothing'")
    found = planted(Component, {"kind": "loss"})
    assert told(
        found, "loss", "built", "raises PluginError: odd-plugin 1.2 (planted) gives as loss"
    )


def test_a_plugin_that_exits_when_it_is_imported_is_at_fault(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "exiting_plugin.py").write_text("raise SystemExit(3)")
    registry = Registry([EntryPoint("loss.planted", "exiting_plugin", "xbench")])
    (fault,) = faults_of(registry.claim("loss", "planted"), Builder(registry))
    assert "loss 'planted' (of an unknown distribution 0): [built] raises" in fault
