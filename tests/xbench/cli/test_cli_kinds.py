"""A stranger's plugin brings a kind, another adds a component to it; both are installed."""

import json

import pytest

from strangers import install, installed_here

pytestmark = pytest.mark.slow

STUDIES = '''
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import click

from xbench import Component, hookimpl
from xbench.commands import OUTPUT, Session, parameter_tree, print_lines, session_options


class Interview(Component):
    """Which questions a participant is asked."""

    kind: ClassVar[str] = "interview"

    @abstractmethod
    def questions(self, images: int) -> int:
        """How many."""


@dataclass(frozen=True)
class Every(Interview):
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

    given = parameter_tree(session.parameters)["interview"]
    interview = Builder(session.registry).build("interview", given)
    print_lines(f"{interview.questions(10)} questions")


@hookimpl
def register_kinds() -> list[type[Component]]:
    return [Interview]


@hookimpl
def register_interviews() -> list[type[Interview]]:
    return [Every]


@hookimpl
def register_commands() -> list[click.Command]:
    return [ask]
'''
ADDED = '''
from dataclasses import dataclass

from acme_studies import Interview
from xbench import hookimpl


@dataclass(frozen=True)
class Some(Interview):
    """Some of the images."""

    name = "some"
    share: float = 0.5

    def questions(self, images: int) -> int:
        return int(self.share * images)


@hookimpl
def register_interviews() -> list[type[Interview]]:
    return [Some]
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where both plugins, and a rival, are installed."""
    folder = tmp_path_factory.mktemp("installed")
    install(folder, "acme-studies", STUDIES, ["kind.interview", "interview.every", "command.ask"])
    install(folder, "more-interviews", ADDED, ["interview.some"])
    install(folder, "rival", "", ["kind.loss"])
    return folder


@pytest.fixture
def call(folder, xbench):
    """Calls `xbench` there."""
    with installed_here(folder):
        yield xbench


def test_components_of_a_brought_kind_are_listed_with_who_provides_them(call):
    rows = json.loads(call("list", "interviews", "--json").out)
    assert [(row["name"], row["distribution"]) for row in rows] == [
        ("every", "acme-studies"),
        ("some", "more-interviews"),
    ]
    assert "interview" in call("list", "kind").out
    assert "did you mean 'interview'?" in call("list", "inteview").err


def test_a_kind_and_its_components_are_shown(call):
    shown = call("show", "kind", "interview")
    assert shown.out.startswith("kind interview, provided by acme-studies 1.0 (acme_studies)")
    assert "Which questions a participant is asked." in shown.out
    assert "components: every, some" in shown.out
    component = json.loads(call("show", "interview", "some", "--json").out)
    (share,) = component["parameters"]
    assert (share["name"], share["what"], share["default"]) == ("share", "a number", "0.5")


def test_plugins_are_listed_and_a_clash_with_the_core_is_named(call):
    out = json.loads(call("plugins", "list", "--json").out)
    states = {row["component"]: row["state"] for row in out if "xbench-xai" not in str(row)}
    assert states["kind interview"] == states["interview some"] == "ok"
    assert "claimed by xbench itself and by rival 1.0 (rival)" in states["kind loss"]
    assert call("show", "loss", "cross-entropy").code == 0


@pytest.mark.parametrize(("name", "count"), [("acme-studies", 3), ("more-interviews", 1)])
def test_both_pass_the_conformance_suite(call, name, count):
    checked = call("plugins", "check", name)
    assert checked.out == f"{name}: {count} components, 0 faults\n", checked.err


def test_parameters_of_a_brought_kind_follow_p(call):
    assert call("ask", "-p", "interview=every", "-p", "interview.times=3").out == "30 questions\n"
    assert call("ask", "-p", "interview=some", "-p", "interview.share=0.2").out == "2 questions\n"
    wrong = call("ask", "-p", "interview=some", "-p", "interview.part=1")
    assert wrong.code == 2
    assert "unknown parameter of interview (some) 'part'" in wrong.err


def test_without_plugins_the_kind_is_not_there(call):
    assert "unknown kind 'interview'" in call("list", "interview", "--no-plugins").err
