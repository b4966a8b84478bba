"""What the tests of the conformance suite share."""

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

from xbench.components.registry import KINDS, Registry
from xbench.components.specification import Builder
from xbench.interfaces.hookspecs import hookimpl
from xbench.testing.conformance.suite import faults_of


class OddPlugin:
    """Stands for an installed distribution."""

    name, version = "odd-plugin", "1.2"


def point(kind, name):
    made = EntryPoint(f"{kind}.{name}", "planted", "xbench")
    vars(made)["dist"] = OddPlugin()
    return made


@pytest.fixture
def faults(monkeypatch):
    """What the suite says of an item that a distribution provides, with others beside it."""

    def of(kind, name, item, **others):
        module = ModuleType("planted")
        for of_kind, provided in {kind: item, **others}.items():
            hook, _ = KINDS[of_kind]
            returns = hookimpl(lambda provided=provided: [provided], specname=hook)
            setattr(module, hook, returns)
        monkeypatch.setitem(sys.modules, "planted", module)
        names = [(kind, name), *((of_kind, other.name) for of_kind, other in others.items())]
        registry = Registry([point(*one) for one in names])
        return list(faults_of(registry.claim(kind, name), Builder(registry)))

    return of


@pytest.fixture
def planted(faults):
    """What the suite says of a component with other methods than a good one."""

    def of(good, methods, **others):
        fields = {"__doc__": "A component with a mistake.", "name": "planted", **methods}
        cls = dataclass(frozen=True)(type("Planted", (good,), fields))
        return faults(cls.kind, "planted", cls, **others)

    return of


@pytest.fixture
def told():
    """The faults that name component, provider and rule, and say what is wrong."""

    def of(found, kind, rule, text):
        start = f"{kind} 'planted' (of odd-plugin 1.2): [{rule}] "
        return [fault for fault in found if fault.startswith(start) and text in fault]

    return of
