"""Components are found by name through entry points."""

import sys
from importlib.metadata import EntryPoint

import pytest

from xbench.components.registry import FIRST_PARTY, Registry
from xbench.errors import PluginError, UnknownNameError


class Installed:
    """Stands for an installed distribution."""

    def __init__(self, name="some-plugin", version="1.2"):
        self.name, self.version = name, version


def point(name, module="some_plugin", distribution=None):
    made = EntryPoint(name, module, "xbench")
    vars(made)["dist"] = distribution or Installed()
    return made


def test_metadata_are_parsed_once_for_each_distribution():
    class Counted(Installed):
        parsed = 0

        @property
        def name(self):
            Counted.parsed += 1
            return "some-plugin"

        @name.setter
        def name(self, value):
            pass

    distribution = Counted()
    made = Registry([point(f"explainer.{k}", distribution=distribution) for k in range(9)])
    assert len(made.names("explainer")) == 9
    assert Counted.parsed == 1


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes an importable module; gives its name."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        made.append(name)
        return name

    yield write
    for name in made:
        sys.modules.pop(name, None)


LOSS = """
from dataclasses import dataclass
from xbench.interfaces.hookspecs import hookimpl
from xbench.interfaces.loss import Loss

@dataclass(frozen=True)
class Mine(Loss):
    "A loss."
    name = "mine"
    def targets(self, *a, **k): ...
    def score(self, logits, distribution): ...

@hookimpl
def register_losses():
    return [Mine]
"""


def test_names_are_known_without_importing_anything():
    registry = Registry([point("loss.mine", "not_there_at_all")])
    assert registry.names("loss") == ("mine",)


def test_a_component_is_imported_when_it_is_asked_for(module):
    registry = Registry([point("loss.mine", module("asked_for", LOSS))])
    assert "asked_for" not in sys.modules
    assert registry.get("loss", "mine").name == "mine"


def test_names_may_hold_dots():
    assert Registry([point("dataset.some10.1")]).names("dataset") == ("some10.1",)


def test_an_unknown_name_is_answered_with_the_nearest_and_all():
    registry = Registry([point("loss.entropy"), point("loss.other")])
    with pytest.raises(UnknownNameError) as caught:
        registry.get("loss", "entrpy")
    assert str(caught.value) == (
        "unknown loss 'entrpy'; did you mean 'entropy'? Known: entropy, other. "
        "`xbench list loss` shows them."
    )


def test_two_claims_to_one_name_are_refused_and_both_are_named(module):
    name = module("claimed_twice", LOSS)
    points = [point("loss.mine", name), point("loss.mine", "elsewhere", Installed("rival", "3"))]
    with pytest.raises(PluginError) as caught:
        Registry(points).get("loss", "mine")
    assert str(caught.value) == (
        "loss 'mine' is claimed by some-plugin 1.2 (claimed_twice) and by rival 3 (elsewhere); "
        "uninstall one of them, or use --no-plugins"
    )


def test_a_plugin_that_raises_on_import_is_named_and_the_rest_works(module):
    good, bad = module("good_one", LOSS), module("bad_one", "raise RuntimeError('broken inside')")
    registry = Registry([point("loss.mine", good), point("loss.broken", bad)])
    assert registry.get("loss", "mine")
    with pytest.raises(PluginError) as caught:
        registry.get("loss", "broken")
    assert str(caught.value) == (
        "plugin some-plugin 1.2 (bad_one) cannot be imported: RuntimeError: broken inside; "
        "`xbench plugins list` shows all"
    )
    assert registry.problems() == (str(caught.value),)


def test_strict_registries_raise_at_once(module):
    bad = module("strictly_bad", "1 / 0")
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        Registry([point("loss.broken", bad)], strict=True)


def test_third_parties_can_be_left_out():
    points = [point("loss.theirs"), point("loss.ours", "xbench", Installed(FIRST_PARTY))]
    assert Registry(points, third_party=False).names("loss") == ("ours",)


def test_a_declared_name_that_no_hook_returns_is_an_error(module):
    registry = Registry([point("loss.other", module("declares_more", LOSS))])
    with pytest.raises(PluginError, match=r"declares loss 'other', but register_losses does not"):
        registry.get("loss", "other")


def test_a_component_of_another_kind_is_refused(module):
    text = LOSS.replace("register_losses", "register_explainers")
    registry = Registry([point("explainer.mine", module("other_kind", text))])
    with pytest.raises(PluginError, match="something that is no Explainer"):
        registry.get("explainer", "mine")


def test_a_hook_with_other_arguments_is_reported_with_its_plugin(module):
    text = LOSS.replace("register_losses()", "register_losses(extra)")
    registry = Registry([point("loss.mine", module("wrong_hook", text))])
    with pytest.raises(PluginError, match=r"some-plugin 1\.2 \(wrong_hook\) breaks its contract"):
        registry.get("loss", "mine")


def test_an_entry_point_without_a_kind_is_reported():
    registry = Registry([point("nothing"), point("wish.small")])
    nothing, wish = registry.problems()
    assert nothing.startswith("some-plugin 1.2 (some_plugin): an entry point is called 'kind.name'")
    assert "not 'wish.small'" in wish
    assert "or the plugin that brings its kind is not installed" in wish


def test_nothing_that_is_installed_has_problems():
    assert Registry(third_party=False).problems() == ()
