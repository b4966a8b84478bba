"""Specifications: components as nested plain values, as TOML and the command line spell them.

A component is written as its name (`"entropy"`), as `"name:argument"` where the argument is
its first field (`"torchvision:vgg16_bn"`), or as a table with `name` and parameters. A field
that is itself a component is written the same way.
"""

import dataclasses
import re
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xbench.components.matching import matched
from xbench.components.registry import Registry
from xbench.errors import MismatchError, ParameterError, UnknownNameError, UsageError
from xbench.interfaces.component import Component, Tree

Specification = str | Tree
Defaults = Mapping[str, Mapping[str, Tree]]
"""Parameters by kind and name."""
MADE = "made"
"""In a table: a component that somebody has made already, which no file can spell."""


def checked_defaults(given: Any, registry: Registry) -> Defaults:
    """The `[defaults]` of a benchmark; a kind or a component that there is not is an error."""
    for kind, of_kind in _table(given, "defaults").items():
        if kind not in registry.kinds:
            raise UnknownNameError("kind of component in defaults", kind, registry.kinds)
        for name, parameters in _table(of_kind, f"defaults.{kind}").items():
            if name not in registry.names(kind):
                raise UnknownNameError(f"{kind} in defaults", name, registry.names(kind))
            _table(parameters, f"defaults.{kind}.{name}")
    checked: Defaults = given
    return checked


def _table(given: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ParameterError(f"{where} is {given!r}; write defaults.KIND.NAME.PARAMETER=…")
    return given


@dataclass(frozen=True)
class Builder:
    """Builds components from specifications, and fills in their defaults."""

    registry: Registry
    defaults: Defaults = field(default_factory=dict)

    def build(self, kind: str, specification: Specification, where: str = "") -> Any:
        """The component that is specified; `where` names the place in messages."""
        where = where or kind
        if isinstance(made := _made(specification), Component):
            return self._changed(kind, made, as_table(specification), where)
        tree = self.complete(kind, specification, where)
        cls = self.registry.get(kind, tree["name"])
        values = {key: value for key, value in tree.items() if key != "name"}
        return self._make(cls, values, where)

    def class_of(self, kind: str, specification: Specification, where: str) -> Any:
        """The class of the component that is specified."""
        made = _made(specification)
        if isinstance(made, Component):
            return type(made)
        return self.registry.get(kind, self.complete(kind, specification, where)["name"])

    def _changed(self, kind: str, made: Component, table: Tree, where: str) -> Component:
        """The component that was made, with the parameters that stand beside it."""
        if made.kind != kind:
            raise ParameterError(f"{where}: expected a {kind}, got {made.kind} {made.name!r}")
        values = {key: value for key, value in table.items() if key not in ("name", MADE)}
        if not values:
            return made
        kept = {f.name: getattr(made, f.name) for f in _fields(type(made)) if f.init}
        changed: Component = self._make(type(made), {**kept, **values}, where)
        return changed

    def complete(self, kind: str, specification: Specification, where: str) -> Tree:
        """The specification as a table with a name, defaults filled in."""
        tree = self._expand(kind, specification, where)
        defaults = self.defaults.get(kind, {}).get(tree["name"], {})
        return overlay({"name": tree["name"], **defaults}, tree)

    def _expand(self, kind: str, specification: Specification, where: str) -> Tree:
        if not isinstance(specification, (str, Mapping)):
            raise ParameterError(f"{where}: expected the name of a {kind}, got {specification!r}")
        tree = as_table(specification)
        if "name" not in tree:
            raise ParameterError(f"{where}: the table of a {kind} needs a `name`")
        name, colon, argument = str(tree["name"]).partition(":")
        name = self.registry.spelled(kind, name)
        if not colon and kind == "classifier" and name not in self.registry.names(kind):
            name, argument = self._family(name)
            colon = ":"
        if not colon:
            return {**tree, "name": name}
        cls = self.registry.get(kind, name)
        main = _fields(cls)[0].name
        number = typing.get_type_hints(cls)[main] in (int, float)
        if kind == "classifier":
            argument = matched(argument, cls.offers())
        return {**tree, "name": name, main: parsed(argument) if number else argument}

    def _family(self, name: str) -> tuple[str, str]:
        """The classifier component that offers a network of this bare name."""
        names = self.registry.names("classifier")
        offers = {family: self.registry.get("classifier", family).offers() for family in names}
        return offering(name, offers, names)

    def _make(self, cls: type, values: Tree, where: str) -> Any:
        fields = {f.name: f for f in _fields(cls)}
        for key in values:
            if key not in fields:
                raise UnknownNameError(f"parameter of {where} ({cls.name})", key, fields)  # type: ignore[attr-defined]
        hints = typing.get_type_hints(cls)
        parameters = {
            key: self.coerce(hints[key], value, f"{where}.{key}") for key, value in values.items()
        }
        missing = [name for name in required(cls) if name not in parameters]
        if missing:
            raise ParameterError(
                f"{where} needs the parameter {missing[0]!r}: -p {where}.{missing[0]}=…"
            )
        try:
            return cls(**parameters)
        except ValueError as error:
            raise ParameterError(f"{where}: {error}") from error

    def coerce(self, hint: Any, value: Any, where: str) -> Any:
        """`value` as the type that a field's annotation asks for, or `ParameterError`."""
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin in (typing.Union, types.UnionType):
            return self._coerce_union(arguments, value, where)
        if origin is typing.Literal:
            return _chosen(arguments, value, where)
        if origin is tuple:
            return self._coerce_tuple(arguments, value, where)
        if isinstance(hint, type) and (
            issubclass(hint, Component) or dataclasses.is_dataclass(hint)
        ):
            return self._coerce_object(hint, value, where)
        return _scalar(hint, value, where)

    def _coerce_object(self, hint: type, value: Any, where: str) -> Any:
        if isinstance(value, hint):
            return value
        if issubclass(hint, Component):
            return self.build(hint.kind, value, where)
        if not isinstance(value, Mapping):
            raise ParameterError(f"{where}: expected a table, got {value!r}")
        return plain_table(hint, dict(value), where)

    def _coerce_union(self, arguments: tuple[Any, ...], value: Any, where: str) -> Any:
        if value is None and type(None) in arguments:
            return None
        options = [argument for argument in arguments if argument is not type(None)]
        for option in options[:-1]:
            try:
                return self.coerce(option, value, where)
            except UsageError:
                continue
        return self.coerce(options[-1], value, where)

    def _coerce_tuple(self, arguments: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ParameterError(f"{where}: expected a list, got {value!r}")
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            arguments = (arguments[0],) * len(value)
        if len(arguments) != len(value):
            raise ParameterError(f"{where}: expected {len(arguments)} values, got {len(value)}")
        pairs = zip(arguments, value, strict=True)
        return tuple(
            self.coerce(hint, item, f"{where}[{i}]") for i, (hint, item) in enumerate(pairs)
        )


def _made(specification: Specification) -> object:
    return specification.get(MADE) if isinstance(specification, Mapping) else None


def offering(
    name: str, offers: Mapping[str, Sequence[str]], components: Sequence[str]
) -> tuple[str, str]:
    """The one classifier that offers a network of this bare name, and the name as it has it."""
    every = [offer for of_family in offers.values() for offer in of_family]
    name = matched(name, dict.fromkeys(every))
    families = [family for family, of_family in offers.items() if name in of_family]
    if not families:
        hint = "`xbench list classifier` shows the families that networks come from."
        known = {*every, *components}
        error = UnknownNameError("classifier", name, known, hint)
        several = [family for family, of_family in offers.items() if error.near in of_family]
        near = f"{several[-1]}:{error.near}" if len(several) > 1 else error.near
        raise UnknownNameError("classifier", name, known, hint, near=near)
    if len(families) > 1:
        choices = [f"{family}:{name}" for family in families]
        message = f"classifier {name!r} is offered by several; write {' or '.join(choices)}"
        raise ParameterError(message, ("--classifier", choices[-1]))
    return families[0], name


def as_table(specification: Specification) -> Tree:
    """A specification as a table."""
    return {"name": specification} if isinstance(specification, str) else dict(specification)


def overlay(base: Any, over: Any) -> Any:
    """`over` laid on `base`: tables merge, unless they name different components."""
    if isinstance(over, Mapping) and isinstance(base, str):
        base = {"name": base} if base else {}
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        if over.get("name", base.get("name")) != base.get("name"):
            return dict(over)
        keys = dict.fromkeys((*base, *over))
        return {
            key: overlay(base.get(key), over[key]) if key in over else base[key] for key in keys
        }
    return over


OUTSIDE_QUOTES = re.compile(r'\.(?=(?:[^"]*"[^"]*")*[^"]*$)')
"""A dot with an even number of quotes after it."""


def assign(tree: Tree, path: str, text: str) -> Tree:
    """The tree with `-p path=text` laid on it; the text is read as TOML, else as a string.

    A name with dots of its own stands in quotes.
    """
    value: Any = parsed(text)
    for key in (part.strip('"') for part in reversed(OUTSIDE_QUOTES.split(path))):
        if not key:
            raise ParameterError(f"-p {path}={text}: the path has an empty part")
        value = {key: value}
    return overlay(tree, value)


def parsed(text: str) -> Any:
    """`text` as a TOML value, or the text itself where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def plain_table(cls: type, tree: Tree, where: str) -> Any:
    """A frozen dataclass of plain values from a table, with the same checks as components."""
    fields = {field.name for field in dataclasses.fields(cls)}
    for key in tree:
        if key not in fields:
            raise UnknownNameError(f"parameter of {where}", key, fields)
    hints = typing.get_type_hints(cls)
    missing = [name for name in required(cls) if name not in tree]
    if missing:
        raise ParameterError(f"{where} needs {missing[0]!r}")
    plain = Builder(Registry(()))
    values = {key: plain.coerce(hints[key], value, f"{where}.{key}") for key, value in tree.items()}
    try:
        return cls(**values)
    except (ValueError, TypeError) as error:
        raise ParameterError(f"{where}: {error}") from error


def _fields(cls: type) -> list["dataclasses.Field[Any]"]:
    if not dataclasses.is_dataclass(cls):
        raise MismatchError(
            f"{cls.__module__}.{cls.__qualname__} is no dataclass, so it has no parameters"
        )
    fields = list(dataclasses.fields(cls))
    return sorted(fields, key=lambda f: bool(f.kw_only))


def required(cls: type) -> list[str]:
    """Names of the parameters without which a component of this class cannot be built."""
    return [field.name for field in _fields(cls) if _required(field)]


def _required(field: "dataclasses.Field[Any]") -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _chosen(choices: tuple[Any, ...], value: Any, where: str) -> Any:
    if value in choices:
        return value
    raise UnknownNameError(f"value of {where}", str(value), map(str, choices))


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    fits = isinstance(value, hint) and not (hint is not bool and isinstance(value, bool))
    if fits:
        return value
    raise ParameterError(
        f"{where}: expected {hint.__name__}, got {value!r} ({type(value).__name__})"
    )
