"""Descriptions: what a component and each of its parameters is, as its class says."""

import ast
import dataclasses
import inspect
import itertools
import textwrap
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from xbench.components.registry import Registry
from xbench.interfaces.component import Component, Tree


class Parameter(NamedTuple):
    """A parameter of a component."""

    name: str
    what: str
    """Which values it takes, in words."""
    choices: tuple[str, ...]
    """All of them, where they are so few, or the components that it can be."""
    default: str | None
    """As `-p` writes it; None where it has to be given."""
    text: str
    """What the class says of it; "" where it says nothing."""


def parameters(cls: type, registry: Registry, defaults: Tree) -> list[Parameter]:
    """The parameters of a component's class; `defaults` are those of a benchmark file."""
    if not dataclasses.is_dataclass(cls):
        return []
    hints, texts = typing.get_type_hints(cls), field_texts(cls)
    return [
        Parameter(
            field.name,
            *_values(hints[field.name], registry),
            _default(field, defaults),
            texts.get(field.name, ""),
        )
        for field in dataclasses.fields(cls)
    ]


def first_line(item: Any) -> str:
    """The first line of what a component, or a command, says of itself."""
    text = getattr(item, "help", None) or getattr(item, "__doc__", None) or ""
    return str(text).strip().partition("\n")[0]


def field_texts(cls: type) -> dict[str, str]:
    """What stands in the source below each field of a class, and of those that it derives from."""
    texts: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        texts |= dict(_texts_of(owner))
    return texts


def _texts_of(cls: type) -> Iterator[tuple[str, str]]:
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return  # a class of a notebook, or one that is built in
    lines = tree.body if isinstance(tree, ast.ClassDef) else []
    for line, below in itertools.pairwise(lines):
        text = below.value if isinstance(below, ast.Expr) else None
        name = line.target if isinstance(line, ast.AnnAssign) else None
        if isinstance(text, ast.Constant) and isinstance(name, ast.Name):
            yield name.id, inspect.cleandoc(str(text.value))


def _default(field: "dataclasses.Field[Any]", defaults: Tree) -> str | None:
    if field.name in defaults:
        return _written(defaults[field.name])
    if field.default is not dataclasses.MISSING:
        return _written(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return _written(field.default_factory())
    return None


def _written(value: Any) -> str:
    """The value as the command line takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_within(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_within(item)}' for key, item in value.items())} }}"
    return "none" if value is None else str(value) or '""'


def _within(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else _written(value)


PLAIN: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a file or a folder",
    dict: "a table",
}


def _values(hint: Any, registry: Registry) -> tuple[str, tuple[str, ...]]:
    """The values of a type in words, and all of them where they can be listed."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return "one of these", tuple(map(str, arguments))
    if origin in (typing.Union, types.UnionType):
        return _either(arguments, registry)
    if origin in (tuple, list):
        return _several(arguments, registry)
    if isinstance(hint, type) and issubclass(hint, Component):
        return _component(hint, registry)
    if dataclasses.is_dataclass(hint):
        names = ", ".join(field.name for field in dataclasses.fields(hint))
        return f"a table with {names}", ()
    return PLAIN.get(hint, getattr(hint, "__name__", str(hint))), ()


def _component(hint: type[Component], registry: Registry) -> tuple[str, tuple[str, ...]]:
    kind = getattr(hint, "kind", hint.__name__.lower())
    article = "an" if kind[0] in "aeiou" else "a"
    return f"{article} {kind}", registry.names(kind)


def _either(arguments: tuple[Any, ...], registry: Registry) -> tuple[str, tuple[str, ...]]:
    texts = [_values(one, registry) for one in arguments if one is not type(None)]
    words = [text for text, _ in texts] + ["none"] * (type(None) in arguments)
    return " or ".join(dict.fromkeys(words)), tuple(c for _, choices in texts for c in choices)


def _several(arguments: tuple[Any, ...], registry: Registry) -> tuple[str, tuple[str, ...]]:
    """Of one type, or of a type at each place."""
    texts = [_values(one, registry) for one in arguments if one is not Ellipsis]
    choices = tuple(dict.fromkeys(choice for _, of_one in texts for choice in of_one))
    words = list(dict.fromkeys(text for text, _ in texts))
    if len(words) > 1:
        return f"a list of {len(texts)}: {', '.join(words)}", choices
    count = "" if Ellipsis in arguments else f" of {len(texts)}"
    return f"a list{count}, each {''.join(words)}", choices
