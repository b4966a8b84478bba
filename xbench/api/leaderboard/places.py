"""Where data lies: all that can be said of a benchmark when submissions to it are checked."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from xbench.api.setting import builder_of
from xbench.benchmark.declaration import adjust
from xbench.benchmark.grid import OF_LINE
from xbench.benchmark.lines import entry_tables
from xbench.components.registry import Registry
from xbench.components.specification import Builder
from xbench.errors import ParameterError, WeightsError
from xbench.interfaces.component import Component, Tree, is_location

DEFAULTS, WEIGHTS = "defaults", "classifier.weights"
OF_ENTRIES = ("classifier", "explainer")
"""Kinds whose files are an entry's own and no data of the benchmark's."""


def placed(tree: Tree, given: Mapping[str, Any], registry: Registry) -> Tree:
    """The benchmark's tree with its data where it is said to lie.

    `given` is nested as `-p` paths are. `ParameterError` for what is no place of files: a
    submission is checked against the benchmark as it is.
    """
    known = places(tree, registry)
    for keys, value in _leaves(given):
        path = ".".join(map(_spelled, keys))
        if path not in known and not _is_default(keys, registry):
            raise ParameterError(f"-p {path}: {_only(known, tree['name'])}")
        _check_value(path, value)
    return adjust(tree, dict(given)) if given else tree


def _check_value(path: str, value: Any) -> None:
    """Raise unless this may be where files lie, and of weights unless it is a file."""
    if not isinstance(value, str | int | float) or isinstance(value, bool) or value == "":
        raise ParameterError(f"-p {path} is {value!r}; say which folder or file: -p {path}=…")
    if path == WEIGHTS and not Path(str(value)).expanduser().is_file():
        raise WeightsError(f"-p {path}: there is no weights file {str(value)!r}")


def _only(known: list[str], name: str) -> str:
    """Why something cannot be said, and what can."""
    why = "a submission is checked against the benchmark as it is, and only where its data lies"
    if not known:
        return f"{why} can be said; {name!r} has none that lies anywhere: leave -p out"
    return f"{why} can be said: {', '.join(f'-p {path}=…' for path in known)}"


def places(tree: Tree, registry: Registry) -> list[str]:
    """The paths by which `-p` says where a benchmark's data, and its network's weights, lie."""
    builder = builder_of(tree, registry)
    of = [path for kind in ("dataset", "protocol") for path in _of(kind, tree[kind], kind, builder)]
    for role, images in tree["splits"].items():
        if isinstance(images, Mapping) and "dataset" in images:
            where = f"splits.{_spelled(role)}.dataset"
            of += _of("dataset", images["dataset"], where, builder)
    return [*of, WEIGHTS] if _has_given_weights(tree, builder) else of


def _of(kind: str, specification: Any, path: str, builder: Builder) -> Iterator[str]:
    """The places of a component and of those that it is made of."""
    table = builder.complete(kind, specification, path)
    cls = builder.registry.get(kind, table["name"])
    hints = get_type_hints(cls)
    for field in fields(cls):
        where, value = f"{path}.{field.name}", table.get(field.name)
        inner = _component(hints[field.name])
        if is_location(field):
            yield where
        elif inner is not None and isinstance(value, str | Mapping):
            yield from _of(inner.kind, value, where, builder)


def _component(hint: Any) -> type[Component] | None:
    """The kind of component that a field takes, if it takes one."""
    options = (option for option in (hint, *get_args(hint)) if isinstance(option, type))
    return next((option for option in options if issubclass(option, Component)), None)


def _has_given_weights(tree: Tree, builder: Builder) -> bool:
    """Whether all entries explain one classifier whose weights come from elsewhere, not pinned."""
    own = any(key in line for line in entry_tables(tree) for key in OF_LINE)
    table = builder.complete("classifier", tree["classifier"], "classifier")
    return bool(table.get("weights")) and not own and not tree.get("weights")


def _is_default(keys: tuple[str, ...], registry: Registry) -> bool:
    """Whether this is a place of a component wherever it stands, as `defaults.dataset.NAME.root`.

    Those of an entry's own components aside.
    """
    if len(keys) != 4 or keys[0] != DEFAULTS or keys[1] in OF_ENTRIES:
        return False
    _, kind, name, field = keys
    if kind not in registry.kinds or name not in registry.names(kind):
        return False
    return any(of.name == field and is_location(of) for of in fields(registry.get(kind, name)))


def _leaves(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[Any]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _spelled(key: str) -> str:
    """A part of a path; one with dots of its own stands in quotes."""
    return f'"{key}"' if "." in key else key
