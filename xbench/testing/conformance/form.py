"""What every component must be, whatever its kind."""

import dataclasses
import json
from collections.abc import Iterator
from functools import partial

import cloudpickle

from xbench.errors import DatasetError
from xbench.interfaces.component import Component
from xbench.testing.conformance.rules import Beside, Rule


def rules(component: Component, beside: Beside) -> Iterator[Rule]:
    """A frozen dataclass with a name, a docstring and plain parameters, that can be sent."""
    yield Rule("dataclass", partial(_dataclass, component))
    if not dataclasses.is_dataclass(component):
        return
    yield Rule("documented", partial(_documented, type(component)))
    for name, faults in (
        ("named", _named),
        ("parameters", _parameters),
        ("equal", _equal),
        ("sendable", _sendable),
    ):
        yield Rule(name, partial(faults, component))


def kind_rules(kind: type[Component], beside: Beside) -> Iterator[Rule]:
    """Of a kind that a plugin brings."""
    yield Rule("documented", partial(_documented, kind))


def _dataclass(component: Component) -> Iterator[str]:
    if not dataclasses.is_dataclass(component):
        yield "is no dataclass"
    elif not type(component).__dataclass_params__.frozen:
        yield "is not frozen: use @dataclass(frozen=True)"


def _named(component: Component) -> Iterator[str]:
    for attribute in ("name", "version"):
        if not isinstance(getattr(type(component), attribute, None), str):
            yield f"lacks the class attribute {attribute!r}"


def _documented(cls: type[Component]) -> Iterator[str]:
    if not (cls.__doc__ or "").strip() or (cls.__doc__ or "").startswith(f"{cls.__name__}("):
        yield "has no docstring"


def _parameters(component: Component) -> Iterator[str]:
    try:
        parameters = component.parameters()
    except DatasetError:
        return  # what lies at a location is not here
    if json.loads(json.dumps(parameters)) != parameters:
        yield "has parameters that JSON cannot hold"


def _equal(component: Component) -> Iterator[str]:
    if dataclasses.replace(component) != component:  # type: ignore[type-var]
        yield "is not equal to itself with the same parameters"


def _sendable(component: Component) -> Iterator[str]:
    if cloudpickle.loads(cloudpickle.dumps(component)) != component:
        yield "is another one when it was sent to another process"
