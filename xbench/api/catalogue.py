"""The catalogue: what a component is, what its parameters mean, and which benchmarks use it."""

import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

from xbench.benchmark.contents import benchmarks_scoring, benchmarks_with
from xbench.components.description import Parameter, parameters
from xbench.components.kinds import KIND
from xbench.components.registry import Registry
from xbench.interfaces.component import Tree

PATHS = {"explainer", "classifier", "loss", "dataset", "protocol", "executor"}
"""Kinds of which a benchmark has one, whose parameters `-p KIND.PARAMETER` sets."""
CHOSEN = ("explainer", "classifier", "dataset", "benchmark")
"""Kinds that an option of `xbench run` chooses."""
DEFAULT = "default"
"""What `xbench run` does without options."""
WITHIN = {"difficulty": "explainer", "attribution": "explainer", "similarity": "loss"}
"""Where components of a kind stand that are parameters of others."""


class Description(NamedTuple):
    """All that is told of a component."""

    kind: str
    name: str
    provided_by: str
    text: str
    parameters: list[Parameter]
    role: str
    """Of an explainer: `entry`, `floor` or `ceiling`; else ""."""
    used_by: list[str]
    """Names of the benchmarks that it is in."""
    scored_by: list[str]
    """Names of the benchmarks that score what an explainer makes."""
    components: list[str]
    """Of a kind that a plugin brings: those that there are."""

    def facts(self) -> dict[str, Any]:
        """As plain values, by name."""
        told = [parameter._asdict() for parameter in self.parameters]
        return {**self._asdict(), "parameters": told}


def described(kind: str, name: str, registry: Registry, defaults: Tree) -> Description:
    """The component of this name; `defaults` are what benchmarks give it where they say nothing."""
    cls = registry.get(kind, name)
    is_class = isinstance(cls, type)
    return Description(
        kind,
        name,
        str(registry.claim(kind, name)),
        inspect.getdoc(cls) or "" if is_class else str(getattr(cls, "help", None) or ""),
        parameters(cls, registry, defaults) if is_class else [],
        getattr(cls, "role", "") if kind == "explainer" else "",
        benchmarks_with(kind, name, registry),
        benchmarks_scoring(cls, registry) if kind == "explainer" else [],
        list(registry.names(name)) if kind == KIND else [],
    )


def lines(description: Description, width: int) -> Iterator[str]:
    """The description as text of this width."""
    kind, name = description.kind, description.name
    role = f", a {description.role}" if description.role in ("floor", "ceiling") else ""
    yield from _wrapped(f"{kind} {name}{role}, provided by {description.provided_by}", width)
    yield ""
    for paragraph in description.text.split("\n\n"):
        yield from _wrapped(paragraph, width, hanging=False)
        yield ""
    if description.kind == KIND:
        yield f"components: {', '.join(description.components) or 'none'}"
        return
    yield from parameter_lines(description, width)
    yield from _use(description, width)


def parameter_lines(description: Description, width: int) -> Iterator[str]:
    """A paragraph for each parameter, which says its value, what it can be, and what it does."""
    if not description.parameters:
        yield "It has no parameters."
    for parameter in description.parameters:
        value = "(must be given)" if parameter.default is None else parameter.default
        yield from _wrapped(f"{parameter.name}: {value}", width, "  ")
        choices = f": {', '.join(parameter.choices)}" if parameter.choices else ""
        what = f"{parameter.what[0].upper()}{parameter.what[1:]}{choices}."
        yield from _wrapped(what, width, "      ")
        if parameter.text:
            yield from _wrapped(parameter.text, width, "      ")
    yield ""


def _use(description: Description, width: int) -> Iterator[str]:
    """How it is chosen, how its parameters are set, and where it is."""
    if choice := _choice(description):
        yield f"Choose it:  {choice}"
    if description.parameters and (path := _path(description.kind)):
        yield f"Set one:    -p {path}.{description.parameters[0].name}=VALUE"
    yield from _benchmarks("In", description.used_by, width)
    others = [name for name in description.scored_by if name not in description.used_by]
    yield from _benchmarks("Scored by", others, width)
    if description.role == "entry" and not description.scored_by:
        yield "No benchmark that is installed scores what it makes; `xbench explain` draws it."


def _choice(description: Description) -> str:
    """A command that has the component in it; none for what stands beside another one."""
    kind, name = description.kind, description.name
    lacks = any(parameter.default is None for parameter in description.parameters)
    if kind in WITHIN:
        return f"xbench run -p {WITHIN[kind]}.{kind}={name}"
    if kind not in CHOSEN or lacks or description.role in ("floor", "ceiling"):
        return ""
    if kind != "explainer":
        return f"xbench run --{kind} {name}"
    if not description.scored_by:
        return f"xbench explain --explainer {name}"
    first = DEFAULT if DEFAULT in description.scored_by else description.scored_by[0]
    return f"xbench run{'' if first == DEFAULT else f' --benchmark {first}'} --explainer {name}"


def _benchmarks(what: str, names: list[str], width: int) -> list[str]:
    noun = "benchmark" if len(names) == 1 else "benchmarks"
    return _wrapped(f"{what} {noun} {', '.join(names)}.", width) if names else []


def _path(kind: str) -> str:
    """Where the parameters of a component of this kind are set."""
    if kind in PATHS:
        return kind
    return f"{WITHIN[kind]}.{kind}" if kind in WITHIN else ""


def _wrapped(text: str, width: int, indent: str = "", *, hanging: bool = True) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()),
        width,
        initial_indent=indent,
        subsequent_indent=indent or "  " * hanging,
        break_on_hyphens=False,
        break_long_words=False,
    )
