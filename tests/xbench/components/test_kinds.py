"""Kinds that plugins bring, and components of them."""

import sys
from importlib.metadata import EntryPoint
from typing import NamedTuple

import pytest

from xbench.components.kinds import hook_of, plural
from xbench.components.registry import FIRST_PARTY, KINDS, Registry
from xbench.components.specification import Builder, checked_defaults
from xbench.errors import ParameterError, PluginError, UnknownNameError
from xbench.testing.conformance.suite import faults_of

STUDIES = """
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from xbench import Component, Loss, hookimpl


class Design(Component):
    "Which questions a participant is asked."

    kind: ClassVar[str] = "design"

    @abstractmethod
    def questions(self, images): ...


@dataclass(frozen=True)
class Every(Design):
    "Every image, so many times."

    name = "every"
    times: int = 1

    def questions(self, images):
        return [image for image in images for _ in range(self.times)]


@dataclass(frozen=True)
class Asked(Loss):
    "A loss that asks somebody."

    name = "asked"
    design: Design

    def targets(self, *a, **k): ...
    def score(self, logits, targets): ...


@hookimpl
def register_kinds():
    return [Design]


@hookimpl
def register_designs():
    return [Every]


@hookimpl
def register_losses():
    return [Asked]
"""
ADDED = """
from dataclasses import dataclass

from xbench import hookimpl
from the_studies import Design


@dataclass(frozen=True)
class Some(Design):
    "Some of the images."

    name = "some"
    share: float = 0.5

    def questions(self, images):
        return images[: int(self.share * len(images))]


@hookimpl
def register_designs():
    return [Some]
"""


class Installed(NamedTuple):
    """What an entry point knows of its distribution."""

    name: str
    version: str


def point(name, module="the_studies", distribution="studies"):
    made = EntryPoint(name, module, "xbench")
    vars(made)["dist"] = Installed(distribution, "1")
    return made


POINTS = (point("kind.design"), point("design.every"), point("loss.asked"))
ADDITION = point("design.some", "the_addition", "addition")


@pytest.fixture(autouse=True)
def _installed(tmp_path, monkeypatch):
    """Both plugins can be imported."""
    (tmp_path / "the_studies.py").write_text(STUDIES)
    (tmp_path / "the_addition.py").write_text(ADDED)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("the_studies", "the_addition"):
        sys.modules.pop(name, None)


def test_names_of_a_brought_kind_are_known_without_importing_anything():
    registry = Registry([*POINTS, ADDITION])
    assert registry.kinds == (*KINDS, "design")
    assert registry.names("design") == ("every", "some")
    assert "the_studies" not in sys.modules


def test_components_of_a_brought_kind_come_from_whoever_has_them():
    registry = Registry([*POINTS, ADDITION])
    kind = registry.get("kind", "design")
    assert issubclass(registry.get("design", "every"), kind)
    assert issubclass(registry.get("design", "some"), kind)
    assert registry.problems() == ()


def test_a_brought_kind_is_built_with_its_parameters_and_as_a_field():
    builder = Builder(Registry([*POINTS, ADDITION]), {"design": {"every": {"times": 3}}})
    assert builder.build("design", "some:0.25").questions([1, 2, 3, 4]) == [1]
    assert builder.build("design", "every").times == 3
    asked = builder.build("loss", {"name": "asked", "design": {"name": "some", "share": 1}})
    assert asked.design.share == 1.0
    assert asked.tree()["parameters"]["design"]["kind"] == "design"
    with pytest.raises(ParameterError, match=r"loss\.design\.times: expected int, got 'many'"):
        builder.build("loss", {"name": "asked", "design": {"name": "every", "times": "many"}})
    with pytest.raises(UnknownNameError, match="unknown design 'evry'; did you mean 'every'"):
        builder.build("loss", {"name": "asked", "design": "evry"})


def test_defaults_may_speak_of_a_brought_kind():
    registry = Registry(POINTS)
    given = {"design": {"every": {"times": 2}}}
    assert checked_defaults(given, registry) == given
    with pytest.raises(UnknownNameError, match="kind of component in defaults 'design'"):
        checked_defaults(given, Registry(()))


def test_the_conformance_suite_checks_the_kind_and_its_components(tmp_path):
    registry = Registry([*POINTS, ADDITION])
    claims = [claim for claim in registry.claims() if claim.kind in ("kind", "design")]
    assert [fault for claim in claims for fault in faults_of(claim, Builder(registry))] == []
    bare = STUDIES.replace('"Which questions a participant is asked."', "")
    sys.modules.pop("the_studies")
    (tmp_path / "the_studies.py").write_text(bare.replace('"Every image, so many times."', ""))
    registry = Registry(POINTS)
    claims = [claim for claim in registry.claims() if claim.kind in ("kind", "design")]
    assert [fault for claim in claims for fault in faults_of(claim, Builder(registry))] == [
        "design 'every' (of studies 1): [documented] has no docstring",
        "kind 'design' (of studies 1): [documented] has no docstring",
    ]


def test_a_kind_of_the_core_is_nobody_elses():
    registry = Registry([point("kind.loss"), *POINTS])
    with pytest.raises(PluginError) as caught:
        registry.get("kind", "loss")
    assert str(caught.value) == (
        "kind 'loss' is claimed by xbench itself and by studies 1 (the_studies); "
        "uninstall one of them, or use --no-plugins"
    )
    assert registry.get("loss", "asked")
    assert Registry().get("loss", "cross-entropy")


def test_two_that_bring_one_kind_are_refused_and_both_are_named():
    registry = Registry([*POINTS, point("kind.design", "elsewhere", "rival")])
    both = r"kind 'design' is claimed by studies 1 \(the_studies\) and by rival 1 \(elsewhere\)"
    for kind, name in (("kind", "design"), ("design", "every")):
        with pytest.raises(PluginError, match=both):
            registry.get(kind, name)
    assert registry.names("loss") == ("asked",)


def test_a_component_of_a_kind_that_nobody_brings_is_reported_and_harms_nothing():
    registry = Registry([ADDITION, *POINTS[2:]])
    assert registry.get("loss", "asked")
    (problem,) = registry.problems()
    assert problem.startswith(
        "addition 1 (the_addition): an entry point is called 'kind.name', not"
    )
    assert problem.endswith("or the plugin that brings its kind is not installed")


def test_without_third_parties_their_kinds_are_not_there():
    ours = point("kind.design", "the_studies", FIRST_PARTY)
    assert Registry(POINTS, third_party=False).kinds == tuple(KINDS)
    assert Registry([ours, *POINTS], third_party=False).kinds == (*KINDS, "design")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Design", "brings no kind"),
        ("de sign", "brings no kind"),
        ("losse", "brings no kind"),  # its hook would be that of losses
        ("malformed", "brings no kind"),
        ("record", "brings no kind"),
        ("", "an entry point is called 'kind.name'"),
    ],
)
def test_what_cannot_be_a_kind_is_reported(name, text):
    registry = Registry([point(f"kind.{name}"), *POINTS])
    (problem,) = registry.problems()
    assert problem.startswith("studies 1 (the_studies): ")
    assert text in problem
    assert registry.get("design", "every")


def test_a_hook_that_does_not_return_the_kind_or_the_component_is_named():
    registry = Registry([point("kind.plan"), point("plan.a"), *POINTS, point("design.other")])
    with pytest.raises(PluginError, match="declares kind 'plan', but register_kinds does not"):
        registry.get("kind", "plan")
    with pytest.raises(PluginError, match="declares plan 'a', but register_plans does not"):
        registry.get("plan", "a")
    with pytest.raises(PluginError, match="declares design 'other', but register_designs does not"):
        registry.get("design", "other")


def test_a_component_of_another_kind_is_refused(tmp_path):
    text = STUDIES.replace("return [Every]", "return [type('Every', (), {'name': 'every'})]")
    (tmp_path / "the_studies.py").write_text(text)
    with pytest.raises(PluginError, match="gives as design 'every' something that is no Design"):
        Registry(POINTS).get("design", "every")


def test_a_kind_that_is_no_component_is_refused(tmp_path):
    text = STUDIES.replace("return [Design]", "return [type('Design', (), {'kind': 'design'})]")
    (tmp_path / "the_studies.py").write_text(text)
    with pytest.raises(PluginError, match="gives as kind 'design' something that is no Component"):
        Registry(POINTS).get("kind", "design")


def test_a_hook_of_a_brought_kind_takes_no_arguments(tmp_path):
    text = STUDIES.replace("def register_designs()", "def register_designs(extra)")
    (tmp_path / "the_studies.py").write_text(text)
    with pytest.raises(PluginError, match=r"studies 1 \(the_studies\) breaks its contract"):
        Registry(POINTS).get("design", "every")


@pytest.mark.parametrize("kind", KINDS)
def test_hooks_of_the_core_follow_the_rule_for_brought_ones(kind):
    assert hook_of(kind) == KINDS[kind][0]


def test_plurals():
    kinds = ["study", "day", "loss", "box", "match", "dish", "design", "answer-sheet"]
    plurals = ["studies", "days", "losses", "boxes", "matches", "dishes", "designs"]
    assert [plural(kind) for kind in kinds] == [*plurals, "answer-sheets"]
    assert hook_of("answer-sheet") == "register_answer_sheets"
