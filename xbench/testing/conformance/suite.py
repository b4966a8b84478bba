"""The suite: every rule that an item breaks, whatever the item does."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xbench.components.kinds import KIND
from xbench.errors import ChangedStateError, MissingPackageError, PluginError
from xbench.interfaces.attribution import Attribution
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import UNREGISTERED, Component, provider
from xbench.interfaces.data.dataset import Dataset
from xbench.interfaces.data.similarity import Similarity
from xbench.interfaces.executor import Executor
from xbench.interfaces.explanation import Explainer
from xbench.interfaces.loss import Loss
from xbench.interfaces.protocol import Protocol
from xbench.interfaces.readout import Difficulty
from xbench.randomness import derived_seed
from xbench.running.guard.block import guarded
from xbench.testing.conformance import (
    annotations,
    benchmarks,
    classifiers,
    commands,
    datasets,
    executors,
    explainers,
    form,
    losses,
    protocols,
    readouts,
    similarities,
)
from xbench.testing.conformance.rules import Beside, Fault, Kind, Rule
from xbench.testing.conformance.samples import sample, samples_beside

if TYPE_CHECKING:
    from xbench.components.registry import Claim
    from xbench.components.specification import Builder

Item = Component | type[Component] | click.Command | Path
"""What can be tried: a component, a kind of them, a command, the file of a benchmark."""
STOPS = (Exception, SystemExit)
"""What a component may raise without ending the suite."""


def check_component(item: Item, beside: Sequence[Component] = ()) -> None:
    """Raise `PluginError` that lists every rule of its kind which the item breaks.

    `beside` has components to try it with: for a protocol an explainer of the kind it scores.
    """
    faults = list(map(str, faults_in(item, beside)))
    if faults:
        raise PluginError(f"{_named(item)}: {'; '.join(faults)}")


def faults_in(item: Item, beside: Sequence[Component] = ()) -> Iterator[Fault]:
    """Every rule which the item breaks; what it raises is a fault, told once."""
    told: set[str] = set()
    for rule in _rules(item, beside):
        for fault in _broken(item, rule):
            if fault.text not in told:
                told.add(fault.text)
                yield fault


def faults_of(claim: "Claim", builder: "Builder") -> Iterator[str]:
    """Faults of what an entry point claims to provide; each names it and who provides it.

    None of what needs a package that is not installed: it cannot be tried.
    """
    of = f"{claim.kind} {claim.name!r} (of {claim.distribution} {claim.version})"
    try:
        item = builder.registry.get(claim.kind, claim.name)
        if claim.kind != KIND and isinstance(item, type) and issubclass(item, Component):
            item = sample(builder, claim.kind, claim.name)
        beside = samples_beside(builder, item)
    except MissingPackageError:
        return
    except STOPS as error:
        yield f"{of}: {Fault('built', _text(error))}"
        return
    for fault in faults_in(item, beside):
        yield f"{of}: {fault}"


def _rules(item: Item, beside: Beside) -> Iterator[Rule]:
    """The rules of all kinds that the item is of."""
    for cls, kind in KINDS:
        if isinstance(item, cls):
            rules: list[Rule] = []
            # which rules there are may hang on code of the item
            yield Rule("tried", partial(_collected, rules, kind, item, beside))
            yield from rules


def _collected(rules: list[Rule], kind: Kind, item: Item, beside: Beside) -> Iterator[str]:
    rules.extend(kind(item, beside))
    return iter(())


def _broken(item: Item, rule: Rule) -> list[Fault]:
    found: list[Fault] = []
    try:
        with _watched(item, rule, lambda line: found.append(Fault("seeds", line))):
            for text in rule.faults():
                found.append(Fault(rule.name, text))  # noqa: PERF401 - kept where the next one fails
    except ChangedStateError as error:
        found.append(Fault("unchanged", str(error)))
    except STOPS as error:
        found.append(Fault(rule.name, _text(error)))
    return found


def _watched(item: Item, rule: Rule, say: Callable[[str], None]) -> AbstractContextManager[None]:
    """A block in which a component has to leave the process as it is.

    Rules have seeds of their own: what draws from global generators differs between two rules.
    """
    if not isinstance(item, Component):
        return nullcontext()
    return guarded(item, [], derived_seed("rule", rule.name), say)


def _text(error: BaseException) -> str:
    return f"raises {type(error).__name__}: {error}"


def _named(item: Item) -> str:
    if isinstance(item, type):
        return f"kind {item.kind!r}"
    if not isinstance(item, Component):
        return f"benchmark {item.stem!r}" if isinstance(item, Path) else f"command {item.name!r}"
    distribution = provider(type(item))
    of = "" if distribution == UNREGISTERED else f" (of {distribution.name} {distribution.version})"
    return f"{item.kind} {item.name!r}{of}"


KINDS: tuple[tuple[type, Kind], ...] = (
    (Component, form.rules),
    (Dataset, datasets.rules),
    (Dataset, annotations.rules),
    (Classifier, classifiers.rules),
    (Loss, losses.rules),
    (Similarity, similarities.rules),
    (Difficulty, readouts.difficulty_rules),
    (Attribution, readouts.attribution_rules),
    (Explainer, explainers.rules),
    (Protocol, protocols.rules),
    (Executor, executors.rules),
    (type, form.kind_rules),
    (click.Command, commands.rules),
    (Path, benchmarks.rules),
)
"""What each kind must do, beyond being a component."""
