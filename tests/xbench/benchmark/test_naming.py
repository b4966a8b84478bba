"""Names of components in a tree are looked up without importing the components."""

import dataclasses
from importlib.metadata import EntryPoint
from typing import get_args, get_type_hints

import pytest

from xbench.benchmark.naming import NAMED, spelled, spelled_name
from xbench.components.registry import FIRST_PARTY, KINDS, Registry, installed
from xbench.errors import ParameterError, UnknownNameError
from xbench.interfaces.component import Component


class Installed:
    version = "1"

    def __init__(self, name):
        self.name = name


def registry(*names, owner=FIRST_PARTY, **offers):
    points = [EntryPoint(name, "not_there_at_all", "xbench") for name in names]
    for point in points:
        vars(point)["dist"] = Installed(owner)
    return Registry(points, offers={name: lambda of=of: of for name, of in offers.items()})


KNOWN = ("dataset.birds", "explainer.two-words", "difficulty.entropy", "classifier.small-net")


def test_names_stand_as_the_components_have_them():
    tree = {
        "dataset": "BIRDS:3",
        "classifier": {"name": "SmallNet", "layer": "X"},
        "entries": [{"label": "A", "explainer": {"name": "Two_Words", "difficulty": "Entropy"}}],
    }
    assert spelled(tree, registry(*KNOWN)) == {
        "dataset": "birds:3",
        "classifier": {"name": "small-net", "layer": "X"},
        "entries": [{"label": "A", "explainer": {"name": "two-words", "difficulty": "entropy"}}],
    }
    assert spelled_name("explainer", None, registry()) is None


@pytest.mark.parametrize(
    "tree",
    [
        {"dataset": "birdz"},
        {"dataset": {"name": "birdz"}},
        {"entries": [{"explainer": {"name": "two-words", "difficulty": "entropi"}}]},
    ],
)
def test_an_unknown_name_is_an_error(tree):
    with pytest.raises(UnknownNameError):
        spelled(tree, registry(*KNOWN))


def test_what_only_an_import_tells_is_left():
    strangers = registry(*KNOWN, owner="a-stranger")
    tree = {"entries": [{"explainer": {"name": "two-words", "difficulty": "entropi"}}]}
    assert spelled(tree, strangers) == tree
    assert spelled({"classifier": "resnet5"}, strangers) == {"classifier": "resnet5"}
    assert spelled({"dataset": 7}, strangers) == {"dataset": 7}


def test_a_parameter_that_is_called_as_a_part_of_a_benchmark_is_left():
    tree = {"entries": [{"explainer": {"name": "two-words", "loss": "linear"}}]}
    assert spelled(tree, registry(*KNOWN)) == tree


def test_networks_are_looked_up_where_all_that_offer_some_say_so():
    known = registry("classifier.one", "classifier.two", one=("net_1", "net_2"), two=("net_2",))
    assert spelled({"classifier": "Net1"}, known) == {"classifier": "net_1"}
    with pytest.raises(UnknownNameError, match="did you mean 'net_1'"):
        spelled({"classifier": "nett_1"}, known)
    with pytest.raises(ParameterError, match="write one:net_2 or two:net_2"):
        spelled({"classifier": "net_2"}, known)


def test_parameters_of_ours_that_are_called_as_a_kind_are_components():
    known = installed()
    for kind in KINDS:
        for name in known.names(kind) if kind not in ("benchmark", "command", "kind") else ():
            cls = known.get(kind, name) if known.is_own(kind, name) else None
            for field in dataclasses.fields(cls) if cls else ():
                if field.name in set(KINDS).difference(NAMED):
                    hints = get_type_hints(cls)
                    kinds = get_args(hints[field.name]) or (hints[field.name],)
                    assert all(issubclass(of, Component | None) for of in kinds), (cls, field.name)
