"""The registry: which components there are, from the entry points of installed distributions.

An entry point of the group `xbench` is called `kind.name` and points to a module whose
hooks return the component. Names are therefore known without importing anything; a module
is imported when a component of it is asked for, and one that fails does not take the rest
down. An entry point `kind.NAME` brings a kind of its own; components of it are found as those
of all kinds are.

An entry point of the group `xbench_offers` is called as a classifier and points to a function:
it gives the names of the networks which that offers, without importing anything large, or none
if it cannot say.
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module, metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pluggy

from xbench.components.kinds import KIND, NAME, hook_of, hook_specification
from xbench.components.matching import matched
from xbench.errors import PluginError, UnknownNameError
from xbench.interfaces import hookspecs

GROUP = "xbench"
OFFERS = "xbench_offers"
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
    KIND: ("register_kinds", "xbench:Component"),
}
"""Each kind with its hook and the class that what the hook returns must derive from."""


MALFORMED = "malformed"
"""The kind of claims to something of which there is no kind."""
RESERVED = (MALFORMED, "record")
"""What no kind can be called: the command line means something else by these."""


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
        offers: Mapping[str, Callable[[], Sequence[str]]] = MappingProxyType({}),
    ) -> None:
        if points is None:
            points = metadata.entry_points(group=GROUP)
            functions = metadata.entry_points(group=OFFERS)
            offers = {point.name: functools.partial(_loaded, point) for point in functions}
        self._offers = offers
        claims = _claims(points)
        claims = [c for c in claims if third_party or c.distribution == FIRST_PARTY]
        brought = _brought(claims)
        self.kinds = (*KINDS, *brought)
        """Names of all kinds, those that plugins bring last."""
        self._claims: dict[tuple[str, str], list[Claim]] = defaultdict(list)
        for claim in dict.fromkeys(_of_known_kind(claim, self.kinds) for claim in claims):
            self._claims[claim.kind, claim.name].append(claim)
        self._plugins = pluggy.PluginManager(GROUP)
        for specification in (hookspecs, *map(hook_specification, brought)):
            self._plugins.add_hookspecs(specification)
        if strict:
            self._check_all()

    def names(self, kind: str) -> tuple[str, ...]:
        """Names of all components of a kind, sorted; nothing is imported."""
        return tuple(sorted(name for k, name in self._claims if k == kind))

    def claims(self) -> tuple[Claim, ...]:
        """All claims, sorted; a name that is claimed twice stands here twice."""
        return tuple(sorted(claim for claims in self._claims.values() for claim in claims))

    def claim(self, kind: str, name: str) -> Claim:
        """The one claim to this name, or to the only one that is spelled alike."""
        name = self.spelled(kind, name)
        claims = self._claims.get((kind, name))
        if not claims:
            raise UnknownNameError(
                kind, name, self.names(kind), f"`xbench list {kind}` shows them."
            )
        own = ["xbench itself"] if kind == KIND and name in KINDS else []
        claimants = [*own, *map(str, claims)]
        if len(claimants) > 1:
            raise PluginError(
                f"{kind} {name!r} is claimed by {' and by '.join(claimants)}; "
                "uninstall one of them, or use --no-plugins"
            )
        return claims[0]

    def spelled(self, kind: str, name: str) -> str:
        """The name as the component has it, whatever its case, hyphens and underscores."""
        return name if (kind, name) in self._claims else matched(name, self.names(kind))

    def is_own(self, kind: str, name: str) -> bool:
        """Whether xbench itself brings the component."""
        return any(c.distribution == FIRST_PARTY for c in self._claims.get((kind, name), ()))

    def offered(self, family: str) -> tuple[str, ...] | None:
        """Names of the networks that a classifier offers; None where only importing it tells."""
        if family not in self._offers:
            return None
        return tuple(self._offers[family]()) or None

    def get(self, kind: str, name: str) -> Any:
        """The component class (for benchmarks the path, for commands the command)."""
        claim = self.claim(kind, name)
        name = claim.name
        if kind == MALFORMED:
            raise PluginError(f"{claim}: {_malformed(name, self.kinds)}")
        for item in self._provided(kind, claim):
            if _name(kind, item) == name:
                return _checked(item, claim, self._expected(kind))
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

    def _expected(self, kind: str) -> type:
        """The class that components of the kind derive from."""
        if kind not in KINDS:
            brought: type = self.get(KIND, kind)
            return brought
        module, _, name = KINDS[kind][1].partition(":")
        expected: type = getattr(import_module(module), name)
        return expected

    def _module(self, claim: Claim) -> Any:
        module = self._plugins.get_plugin(claim.module)
        if module is None:
            module = _imported(claim)
            try:
                self._plugins.register(module, name=claim.module)
            except pluggy.PluginValidationError as error:
                raise PluginError(f"plugin {claim} breaks its contract: {error}") from error
        return module


def _loaded(point: metadata.EntryPoint) -> Sequence[str]:
    """What the function of an entry point gives."""
    given: Sequence[str] = point.load()()
    return given


def _claims(points: Iterable[metadata.EntryPoint]) -> list[Claim]:
    """What entry points claim; metadata are parsed once for each distribution, as this is slow."""
    owner = functools.cache(_owner)
    return [_claim(point, *owner(point.dist)) for point in points]


def _claim(point: metadata.EntryPoint, distribution: str, version: str) -> Claim:
    kind, _, name = point.name.partition(".")
    return Claim(kind, name, point.module, distribution, version)


def _owner(distribution: metadata.Distribution | None) -> tuple[str, str]:
    """Name and version, also of an interrupted installation, which has neither."""
    name = distribution.name if distribution else None
    if distribution is None or not name:
        return "an unknown distribution", "0"
    return name, distribution.version


def _brought(claims: Iterable[Claim]) -> tuple[str, ...]:
    """Kinds that plugins bring; those with a name or a hook that cannot be are none."""
    named = {c.name for c in claims if c.kind == KIND and NAME.fullmatch(c.name)}
    names = sorted(named.difference(RESERVED))
    hooks = {hook for hook, _ in KINDS.values()}
    return tuple({hook_of(name): name for name in names if hook_of(name) not in hooks}.values())


def _of_known_kind(claim: Claim, kinds: Iterable[str]) -> Claim:
    """The claim, called malformed where there is no such kind."""
    if claim.name and claim.kind in kinds and not (claim.kind == KIND and claim.name not in kinds):
        return claim
    whole = f"{claim.kind}.{claim.name}" if claim.name else claim.kind
    return claim._replace(kind=MALFORMED, name=whole)


def _imported(claim: Claim) -> Any:
    try:
        return import_module(claim.module)
    except Exception as error:  # a plugin may raise anything; it is reported, by name
        reason = f"{type(error).__name__}: {error}"
        message = f"plugin {claim} cannot be imported: {reason}; `xbench plugins list` shows all"
        raise PluginError(message) from error


def _hook(kind: str) -> str:
    return KINDS[kind][0] if kind in KINDS else hook_of(kind)


def _malformed(name: str, kinds: Iterable[str]) -> str:
    """What is wrong with the name of an entry point."""
    if name.startswith(f"{KIND}."):
        rule = "small letters, digits and '-', and neither it nor its plural is taken"
        return f"{name!r} brings no kind: the name of one has {rule}"
    return (
        f"an entry point is called 'kind.name', not {name!r}, where kind is one of "
        f"{', '.join(kinds)}; or the plugin that brings its kind is not installed"
    )


def _name(kind: str, item: Any) -> str | None:
    if kind == KIND:
        return vars(item).get("kind") if isinstance(item, type) else None
    return item.stem if isinstance(item, Path) else getattr(item, "name", None)


def _checked(item: Any, claim: Claim, expected: type) -> Any:
    fits = issubclass(item, expected) if isinstance(item, type) else isinstance(item, expected)
    if not fits:
        raise PluginError(
            f"{claim} gives as {claim.kind} {claim.name!r} something that is no {expected.__name__}"
        )
    return item


@functools.cache
def installed() -> Registry:
    """The registry of everything that is installed."""
    return Registry()
