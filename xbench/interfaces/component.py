"""Components: frozen dataclasses whose fields are their hyperparameters; keys of what they make.

A key is a content hash of trees: of plain values that say what something depends on.
"""

import dataclasses
import functools
import hashlib
import itertools
import json
from abc import ABC
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from packaging.version import InvalidVersion, Version

Tree = dict[str, Any]
"""Nested plain values (str, int, float, bool, None, list, dict), as TOML and JSON hold them."""
KIN = 8
"""Digits at the start of a key that versions have no part in."""
_LOCATION = "xbench location"


def location(default: Any = dataclasses.MISSING) -> Any:
    """A dataclass field that says where bytes lie.

    Keys and records hold the fingerprint of what lies there, never the path.
    """
    return dataclasses.field(default=default, metadata={_LOCATION: True})


class Component(ABC):
    """A hyperparameter-only value: `name` and `version` name it, its fields parametrise it.

    Concrete components are frozen dataclasses, keep no state between calls, and take
    their random generator and device as arguments. A field that is itself a component
    has no default in code; defaults of that sort stand in `benchmarks/default.toml`.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    version: ClassVar[str] = "1"
    example: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Parameters to try the component with, where it has plain ones without a default."""
    needs_cut: ClassVar[bool] = False
    """Whether it asks for the parts of a network: `bottom`, `top`, `layer` or activations. A
    benchmark with such a component tries the cut of its classifiers before it trains them."""

    def parameters(self) -> Tree:
        """The component's fields as plain values; nested components become their `tree`.

        Of a location stands there what lies at it.
        """
        return fields_tree(self)

    def tree(self) -> Tree:
        """Everything that identifies this component: what enters keys and records."""
        distribution = provider(type(self))
        return {
            "kind": self.kind,
            "name": self.name,
            "version": self.version,
            "distribution": distribution.name,
            "distribution_version": distribution.version,
            "parameters": self.parameters(),
        }


def looks_inside(component: Component | None) -> bool:
    """Whether the component, or one among its fields, needs networks to be cut."""
    if component is None or component.needs_cut:
        return component is not None
    values = (getattr(component, field.name) for field in dataclasses.fields(component))  # type: ignore[arg-type]
    inner = (one for value in values for one in (value if isinstance(value, tuple) else (value,)))
    return any(isinstance(one, Component) and looks_inside(one) for one in inner)


def fields_tree(value: Any, but: tuple[str, ...] = ()) -> Tree:
    """The fields of a dataclass as plain values, some left out; of locations their content."""
    return {
        field.name: _field_value(value, field)
        for field in dataclasses.fields(value)
        if field.name not in but
    }


def _field_value(owner: Any, field: "dataclasses.Field[Any]") -> Any:
    value = getattr(owner, field.name)
    return content_hash(value) if field.metadata.get(_LOCATION) else plain(value)


def is_location(field: "dataclasses.Field[Any]") -> bool:
    """Whether the field was declared with `location`."""
    return bool(field.metadata.get(_LOCATION))


def content_hash(path: str | Path) -> str:
    """A 32-digit hash of a file's bytes; "" where no file can be read, which its user finds."""
    try:
        place = Path(path).expanduser()
        status = place.stat()
        return _content_hash(place, status.st_size, status.st_mtime_ns)
    except OSError:
        return ""


@functools.lru_cache(maxsize=256)
def _content_hash(path: Path, size: int, modified: int) -> str:
    """Of a file in this state: keys are asked for often, and files may be large."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def plain(value: object) -> Any:
    """`value` as plain JSON values: what has a tree becomes it, tuples become lists."""
    if value is None or type(value) in (str, int, float, bool):  # most are: keys are asked often
        return value
    if not isinstance(value, type):
        tree = getattr(value, "tree", None)
        if callable(tree):
            return tree()
        if dataclasses.is_dataclass(value):
            return fields_tree(value)
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value if isinstance(value, (str, int, float, bool)) else str(value)


def fingerprint(tree: object) -> str:
    """A 32-digit content hash of nested plain values; equal trees have equal fingerprints."""
    text = json.dumps(plain(tree), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def content_key(tree: Tree, needs: Mapping[str, str] = MappingProxyType({})) -> str:
    """The key of what is made of these components and of artefacts with these keys.

    Of distributions it holds major.minor alone: a patch release promises the same numbers.
    Its first digits hold no versions at all, so that what the same components made under
    others can be found.
    """
    whole = fingerprint({"tree": _promised(tree), "needs": dict(needs)})
    kin = {name: key[:KIN] for name, key in needs.items()}
    return fingerprint({"tree": _unversioned(tree), "needs": kin})[:KIN] + whole[KIN:]


def versions(tree: Any) -> dict[str, str]:
    """The versions of all components in a tree, and of their distributions, by what has them."""
    if isinstance(tree, list):
        return {what: v for item in tree for what, v in versions(item).items()}
    if not isinstance(tree, dict):
        return {}
    below = {what: v for item in tree.values() for what, v in versions(item).items()}
    if not _is_component(tree):
        return below
    own = {
        f"{tree['kind']} {tree['name']}": str(tree["version"]),
        str(tree["distribution"]): promised_version(str(tree["distribution_version"])),
    }
    return {**own, **below}


def promised_version(version: str) -> str:
    """The part of a distribution's version that its numbers depend on.

    Major and minor; the whole of what is no plain release: it promises nothing.
    """
    try:
        known = Version(version)
    except InvalidVersion:
        return version
    plain_release = not (known.is_prerelease or known.is_devrelease or known.local)
    return f"{known.major}.{known.minor}" if plain_release and known.release > (0,) else version


def _is_component(tree: Tree) -> bool:
    return {"kind", "name", "version", "distribution", "distribution_version"} <= tree.keys()


def _promised(tree: Any) -> Any:
    """The tree with distributions at the version that they promise their numbers for."""
    return _components_changed(
        tree, lambda of: {"distribution_version": promised_version(of["distribution_version"])}
    )


def _unversioned(tree: Any) -> Any:
    """The tree without versions of components."""
    return _components_changed(tree, lambda _: {"version": "", "distribution_version": ""})


def _components_changed(tree: Any, change: Any) -> Any:
    if isinstance(tree, list):
        return [_components_changed(item, change) for item in tree]
    if not isinstance(tree, dict):
        return tree
    changed = {key: _components_changed(item, change) for key, item in tree.items()}
    return {**changed, **change(tree)} if _is_component(tree) else changed


class Distribution(NamedTuple):
    """The installed distribution that provides a component."""

    name: str
    version: str


UNREGISTERED = Distribution("unregistered", "0")
"""Of what no installed distribution brings: a notebook's classes, for example."""


def provider(cls: type) -> Distribution:
    """The distribution whose file list has the class's module.

    One that is installed editable lists no modules: it is found by the entry point that shares
    the longest package with the class.
    """
    return _provider(cls.__module__)


@functools.lru_cache(maxsize=1024)
def _provider(module: str) -> Distribution:
    stem = module.replace(".", "/")
    owners = _owners()
    owner = owners.get(f"{stem}.py") or owners.get(f"{stem}/__init__.py")
    if owner:
        return owner
    shared = {point: _shared_parts(point, module) for point in _points()}
    nearest = max(shared, key=shared.__getitem__, default=None)
    if nearest is None or not shared[nearest]:
        return UNREGISTERED
    return _points()[nearest]


def _shared_parts(one: str, other: str) -> int:
    """How many names two modules have in common, from the first on."""
    pairs = zip(one.split("."), other.split("."), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


@functools.cache
def _points() -> dict[str, Distribution]:
    """The distribution of each module that an entry point of ours names.

    What an interrupted installation left behind has entry points and no name.
    """
    return {
        point.module: Distribution(point.dist.name, point.dist.version)
        for point in metadata.entry_points(group="xbench")
        if point.dist is not None and point.dist.name
    }


@functools.cache
def _owners() -> dict[str, Distribution]:
    """The distribution of each Python file that one with entry points of ours lists."""
    return {
        str(path): owner
        for owner in dict.fromkeys(_points().values())
        for path in metadata.files(owner.name) or ()
        if path.suffix == ".py"
    }
