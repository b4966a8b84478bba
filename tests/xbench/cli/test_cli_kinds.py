"""A stranger's plugin brings a kind, another adds a component to it; both are installed."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.slow

STUDIES = '''
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import click

from xbench import Component, hookimpl
from xbench.commands import OUTPUT, Session, parameter_tree, print_lines, session_options


class Design(Component):
    """Which questions a participant is asked."""

    kind: ClassVar[str] = "design"

    @abstractmethod
    def questions(self, images: int) -> int:
        """How many."""


@dataclass(frozen=True)
class Every(Design):
    """Every image, so many times."""

    name = "every"
    times: int = 1

    def questions(self, images: int) -> int:
        return self.times * images


@click.command("ask")
@session_options(OUTPUT)
@click.option("-p", "parameters", multiple=True)
def ask(session: Session) -> None:
    """Ask."""
    from xbench import Builder

    given = parameter_tree(session.parameters)["design"]
    design = Builder(session.registry).build("design", given)
    print_lines(f"{design.questions(10)} questions")


@hookimpl
def register_kinds() -> list[type[Component]]:
    return [Design]


@hookimpl
def register_designs() -> list[type[Design]]:
    return [Every]


@hookimpl
def register_commands() -> list[click.Command]:
    return [ask]
'''
ADDED = '''
from dataclasses import dataclass

from acme_studies import Design
from xbench import hookimpl


@dataclass(frozen=True)
class Some(Design):
    """Some of the images."""

    name = "some"
    share: float = 0.5

    def questions(self, images: int) -> int:
        return int(self.share * images)


@hookimpl
def register_designs() -> list[type[Design]]:
    return [Some]
'''


def install(folder, name, text, *points):
    """An installed distribution with this module and these entry points."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(text)
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{point} = {module}" for point in points]
    (info / "entry_points.txt").write_text("\n".join(["[xbench]", *lines, ""]))


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Calls `xbench` where both plugins, and a rival, are installed."""
    folder = tmp_path_factory.mktemp("installed")
    install(folder, "acme-studies", STUDIES, "kind.design", "design.every", "command.ask")
    install(folder, "more-designs", ADDED, "design.some")
    install(folder, "rival", "", "kind.loss")
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "PYTHONPATH": str(folder), "XBENCH_HOME": str(home)}

    def called(*arguments):
        command = [sys.executable, "-m", "xbench", *arguments]
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        return SimpleNamespace(code=ended.returncode, out=ended.stdout, err=ended.stderr)

    return called


def test_components_of_a_brought_kind_are_listed_with_who_provides_them(call):
    rows = json.loads(call("list", "designs", "--json").out)
    assert [(row["name"], row["distribution"]) for row in rows] == [
        ("every", "acme-studies"),
        ("some", "more-designs"),
    ]
    assert "design" in call("list", "kind").out
    assert "did you mean 'design'?" in call("list", "desing").err


def test_a_kind_and_its_components_are_shown(call):
    shown = call("show", "kind", "design")
    assert shown.out.startswith("kind design, provided by acme-studies 1.0 (acme_studies)")
    assert "Which questions a participant is asked." in shown.out
    assert "components: every, some" in shown.out
    component = json.loads(call("show", "design", "some", "--json").out)
    (share,) = component["parameters"]
    assert (share["name"], share["what"], share["default"]) == ("share", "a number", "0.5")


def test_plugins_are_listed_and_a_clash_with_the_core_is_named(call):
    out = json.loads(call("plugins", "list", "--json").out)
    states = {row["component"]: row["state"] for row in out if "xbench-xai" not in str(row)}
    assert states["kind design"] == states["design some"] == "ok"
    assert "claimed by xbench itself and by rival 1.0 (rival)" in states["kind loss"]
    assert call("show", "loss", "cross-entropy").code == 0


@pytest.mark.parametrize(("name", "count"), [("acme-studies", 3), ("more-designs", 1)])
def test_both_pass_the_conformance_suite(call, name, count):
    checked = call("plugins", "check", name)
    assert checked.out == f"{name}: {count} components, 0 faults\n", checked.err


def test_parameters_of_a_brought_kind_follow_p(call):
    assert call("ask", "-p", "design=every", "-p", "design.times=3").out == "30 questions\n"
    assert call("ask", "-p", "design=some", "-p", "design.share=0.2").out == "2 questions\n"
    wrong = call("ask", "-p", "design=some", "-p", "design.part=1")
    assert wrong.code == 2
    assert "unknown parameter of design (some) 'part'" in wrong.err


def test_without_plugins_the_kind_is_not_there(call):
    assert "unknown kind 'design'" in call("list", "design", "--no-plugins").err
