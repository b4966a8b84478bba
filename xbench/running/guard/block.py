"""Guarded blocks: foreign code is run, and must leave everything as it was."""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from xbench.errors import ChangedStateError
from xbench.interfaces.component import UNREGISTERED, Component, provider
from xbench.interfaces.recipe import Recipe
from xbench.running.guard import modules as module_states
from xbench.running.guard import process as process_states
from xbench.running.guard.modules import Change, ModuleState, state_of
from xbench.running.guard.process import ProcessState, process_state
from xbench.running.guard.randomness import own_randomness
from xbench.running.guard.tensors import Contents

_NOTHING: Mapping[str, Tensor] = MappingProxyType({})


class _Kept(NamedTuple):
    """What was before the block."""

    process: ProcessState
    modules: ModuleState
    tensors: Mapping[str, Tensor]
    contents: Contents


class _Difference(NamedTuple):
    """What the block left changed, in words, and whether weights are among it."""

    phrases: list[str]
    quiet: list[str]
    network_changed: bool


@contextlib.contextmanager
def guarded(
    owner: Component | Recipe,
    modules: Iterable[nn.Module],
    seed: int,
    say: Callable[[str], None],
    tensors: Mapping[str, Tensor] = _NOTHING,
) -> Iterator[None]:
    """Run the owner's code in a block that leaves modules, tensors and the process as they were.

    Global random generators have the block's own seed. Whatever else differs afterwards is put
    back where it can be and raises `ChangedStateError`. An error of the block passes through,
    with a note of what it left and with `network_changed` where weights are other ones. Lines
    that are said are the same for each block: say each of them once.
    """
    kept = _kept(modules, tensors)
    devices = dict.fromkeys(t.device for t in [*tensors.values(), *_tensors(kept.modules)])
    name = _named(owner)

    def reseeded(function: str) -> None:
        message = f"{name} calls {function}; that holds until its block ends, and no longer: "
        say(message + "it should draw from the generator that it is given")

    try:
        with own_randomness(seed, devices, reseeded):
            yield
    except BaseException as error:
        _note(error, name, kept)
        raise
    difference = _put_back(kept)
    for phrase in difference.quiet:
        say(f"{name} {phrase}; that was put back")
    if difference.phrases:
        raise _refusal(name, difference)


def network_changed(error: BaseException) -> bool:
    """Whether the guarded block that this error comes from left other weights behind."""
    return bool(getattr(error, "network_changed", False))


def _kept(modules: Iterable[nn.Module], tensors: Mapping[str, Tensor]) -> _Kept:
    contents = Contents.of(list(tensors.values()))
    return _Kept(process_state(), state_of(modules), tensors, contents)


def _tensors(state: ModuleState) -> list[Tensor]:
    return [one.tensor for one in state.tensors]


def _named(owner: Component | Recipe) -> str:
    distribution = provider(type(owner))
    named = f"{owner.kind} {getattr(owner, 'name', type(owner).__name__)!r}"
    if distribution == UNREGISTERED:
        return named
    return f"{named} (of {distribution.name} {distribution.version})"


def _put_back(kept: _Kept) -> _Difference:
    settings = process_states.put_back(kept.process)  # first: sums want threads and dtypes as were
    changes = module_states.put_back(kept.modules)
    written = itertools.compress(kept.tensors, kept.contents.changed())
    phrases = [str(change) for change in settings if not change.setting.quiet]
    phrases += [*_grouped(changes), *(f"wrote into the {name} it was given" for name in written)]
    quiet = [f"changed {change.setting.name}" for change in settings if change.setting.quiet]
    return _Difference(phrases, quiet, any(change.to_stay for change in changes))


def _grouped(changes: Iterable[Change]) -> Iterator[str]:
    """A phrase for each kind of change, with how many there are and the first of them."""
    places: dict[str, dict[str, None]] = {}
    for change in changes:
        places.setdefault(change.what, {})[change.where] = None
    for what, where in places.items():
        count = f"{len(where)}, first " if len(where) > 1 else ""
        yield f"{what} ({count}{next(iter(where))!r})"


def _refusal(name: str, difference: _Difference) -> ChangedStateError:
    message = f"{name} left changed what is not its own: it {', '.join(difference.phrases)}; "
    message += "nothing of this block is kept. Let it put back what it changes, or work on a copy"
    return ChangedStateError(message, network_changed=difference.network_changed)


def _note(error: BaseException, name: str, kept: _Kept) -> None:
    """Put everything back after an error, and say on it what cannot be."""
    try:
        difference = _put_back(kept)
    except torch.OutOfMemoryError:
        difference = _Difference(["left no memory to look for changes"], [], network_changed=True)
    if difference.phrases:
        error.add_note(f"before it failed, {name} {', '.join(difference.phrases)}")
    if difference.network_changed:
        with contextlib.suppress(AttributeError):
            error.network_changed = True  # type: ignore[attr-defined]
