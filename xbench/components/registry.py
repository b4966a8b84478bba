"""The registry: which components there are, from the entry points of installed distributions.

An entry point of the group `xbench` is called `kind.name` and points to a module whose
hooks return the component. Names are therefore known without importing anything; a module
is imported when a component of it is asked for, and one that fails does not take the rest
down.
"""

import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, NamedTuple

import pluggy

from xbench.errors import PluginError, UnknownNameError
from xbench.interfaces import hookspecs

GROUP = "xbench"
FIRST_PARTY = "xbench-xai"

KINDS = {
    "dataset": ("register_datasets", "xbench:Dataset"),
    "classifier": ("register_classifiers", "xbench:Classifier"),
    "similarity": ("register_similarities", "xbench:Similarity"),
    "loss": ("register_losses", "xbench:Loss"),
    "difficulty": ("register_difficulties", "xbench:Difficulty"),
    "attribution": ("register_attributions", "xbench:Attribution"),
    "explainer": ("register_explainers", "xbench:Explainer"),
    "protocol": ("register_protocols", "xbench:Protocol"),
    "executor": ("register_executors", "xbench:Executor"),
    "benchmark": ("register_benchmarks", "pathlib:Path"),
    "command": ("register_commands", "click:Command"),
}
"""Each kind with its hook and the class that what the hook returns must derive from."""


class Claim(NamedTuple):
    """One entry point: somebody's claim to provide a component of this name."""

    kind: str
    name: str
    module: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version} ({self.module})"


class Registry:
    """Finds components by kind and name."""

    def __init__(
        self,
        points: Iterable[metadata.EntryPoint] | None = None,
        *,
        third_party: bool = True,
        strict: bool = False,
    ) -> None:
        if points is None:
            points = metadata.entry_points(group=GROUP)
        claims = [_claim(point) for point in points]
        self._claims: dict[tuple[str, str], list[Claim]] = defaultdict(list)
        for claim in dict.fromkeys(claims):
            if third_party or claim.distribution == FIRST_PARTY:
                self._claims[claim.kind, claim.name].append(claim)
        self._strict = strict
        self._plugins = pluggy.PluginManager(GROUP)
        self._plugins.add_hookspecs(hookspecs)
        if strict:
            self._check_all()

    def names(self, kind: str) -> tuple[str, ...]:
        """Names of all components of a kind, sorted; nothing is imported."""
        return tuple(sorted(name for k, name in self._claims if k == kind))

    def claims(self) -> tuple[Claim, ...]:
        """All claims, sorted; a name that is claimed twice stands here twice."""
        return tuple(sorted(claim for claims in self._claims.values() for claim in claims))

    def claim(self, kind: str, name: str) -> Claim:
        """The one claim to this name."""
        claims = self._claims.get((kind, name))
        if not claims:
            raise UnknownNameError(
                kind, name, self.names(kind), f"`xbench list {kind}` shows them."
            )
        if len(claims) > 1:
            raise PluginError(
                f"{kind} {name!r} is claimed by {' and by '.join(map(str, claims))}; "
                "uninstall one of them, or use --no-plugins"
            )
        return claims[0]

    def get(self, kind: str, name: str) -> Any:
        """The component class (for benchmarks the path, for commands the command)."""
        claim = self.claim(kind, name)
        for item in self._provided(kind, claim):
            if _name(item) == name:
                return _checked(item, claim)
        raise PluginError(f"{claim} declares {kind} {name!r}, but {_hook(kind)} does not return it")

    def problems(self) -> tuple[str, ...]:
        """One line for each claim that does not hold; imports every plugin."""
        messages = []
        for kind, name in sorted(self._claims):
            try:
                self.get(kind, name)
            except PluginError as error:
                messages.append(str(error))
        return tuple(dict.fromkeys(messages))

    def _check_all(self) -> None:
        for kind, name in sorted(self._claims):
            self.get(kind, name)

    def _provided(self, kind: str, claim: Claim) -> Sequence[Any]:
        hook = _hook(kind)
        module = self._module(claim)
        others = [plugin for plugin in self._plugins.get_plugins() if plugin is not module]
        returned = self._plugins.subset_hook_caller(hook, others)()
        return [item for items in returned for item in items]

    def _module(self, claim: Claim) -> Any:
        module = self._plugins.get_plugin(claim.module)
        if module is None:
            module = _imported(claim)
            try:
                self._plugins.register(module, name=claim.module)
            except pluggy.PluginValidationError as error:
                raise PluginError(f"plugin {claim} breaks its contract: {error}") from error
        return module


def _claim(point: metadata.EntryPoint) -> Claim:
    distribution = point.dist.name if point.dist else "an unknown distribution"
    version = point.dist.version if point.dist else "0"
    kind, dot, name = point.name.partition(".")
    if not dot or kind not in KINDS:
        kind, name = "malformed", point.name
    return Claim(kind, name, point.module, distribution, version)


def _imported(claim: Claim) -> Any:
    try:
        return import_module(claim.module)
    except Exception as error:  # a plugin may raise anything; it is reported, by name
        reason = f"{type(error).__name__}: {error}"
        raise PluginError(f"plugin {claim} cannot be imported: {reason}") from error


def _hook(kind: str) -> str:
    if kind not in KINDS:
        raise PluginError(
            f"an entry point is called 'kind.name', where kind is one of {', '.join(KINDS)}"
        )
    return KINDS[kind][0]


def _name(item: Any) -> str | None:
    return item.stem if isinstance(item, Path) else getattr(item, "name", None)


def _checked(item: Any, claim: Claim) -> Any:
    module, _, name = KINDS[claim.kind][1].partition(":")
    expected = getattr(import_module(module), name)
    fits = issubclass(item, expected) if isinstance(item, type) else isinstance(item, expected)
    if not fits:
        raise PluginError(
            f"{claim} gives as {claim.kind} {claim.name!r} something that is no {name}"
        )
    return item


@functools.cache
def installed() -> Registry:
    """The registry of everything that is installed."""
    return Registry()
