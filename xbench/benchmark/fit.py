"""Fit: which protocol scores what is made, and which floors and ceilings stand beside it."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from xbench.benchmark.lines import (
    asked_of_protocol,
    explanation_kind,
    explanation_of,
    speaks_of_entry,
)
from xbench.components.registry import Registry
from xbench.components.specification import Builder
from xbench.errors import MismatchError, ParameterError
from xbench.interfaces.component import Tree
from xbench.interfaces.data.dataset import Dataset
from xbench.interfaces.explanation import Explanation
from xbench.interfaces.protocol import Protocol


class FittingProtocol(NamedTuple):
    """A protocol that fits."""

    protocol: Protocol
    remark: str = ""
    """Why it stands in the place of the benchmark's own; empty where it is that."""


class FittingEntries(NamedTuple):
    """The tables of entries that fit the protocol and each other."""

    entries: list[Tree]
    remark: str = ""
    """Which floors and ceilings were left out, and why; empty where none was."""


def fitting_protocol(
    own: Protocol,
    explanation: type[Explanation] | None,
    dataset: Dataset,
    builder: Builder,
    chosen: Collection[str] = (),
) -> FittingProtocol:
    """The benchmark's own protocol, or the one that fits where that does not fit what was chosen.

    `explanation` is the kind that is made, None where classifiers are compared; `chosen` are
    the kinds of components that were not taken from the benchmark's file. `MismatchError`
    where no protocol fits, several do, or nothing was chosen that the own one could give way to.
    """
    reason = _mismatch(own, explanation, dataset)
    if reason is None:
        return FittingProtocol(own)
    kinds = {
        name: builder.registry.get("protocol", name) for name in builder.registry.names("protocol")
    }
    unlike = _unlike(own, explanation) is not None
    if ("explainer" if unlike else "dataset") in chosen and "protocol" not in chosen:
        alike = [n for n, cls in kinds.items() if (cls.scores is None) == (explanation is None)]
        others = _buildable([name for name in alike if name != own.name], builder)
        fitting = [other for other in others if _mismatch(other, explanation, dataset) is None]
        if fitting:
            return _only(fitting, own, reason)
    way_out = _scorers(explanation, kinds) if unlike else _owners(own, builder.registry)
    raise MismatchError(f"{reason}{way_out}")


def _only(fitting: Sequence[Protocol], own: Protocol, reason: str) -> FittingProtocol:
    if len(fitting) > 1:
        choices = ", ".join(protocol.name for protocol in fitting)
        raise MismatchError(f"several protocols fit: {choices}; choose with -p protocol.name=…")
    instead = f"protocol {fitting[0].name!r}, with its defaults, in the place of {own.name!r}"
    return FittingProtocol(fitting[0], f"{instead}: {reason}")


def fitting_entries(
    entries: Sequence[Tree], protocol: Protocol, builder: Builder, *, strict: bool
) -> FittingEntries:
    """The entries without the floors and ceilings that do not fit the others.

    `MismatchError` where an entry does not fit the protocol, or with `strict` any of them.
    """
    explanation = explanation_of(entries, builder)
    kept: list[Tree] = []
    left_out: list[str] = []
    for line in entries:
        if line["role"] == "entry" or strict:
            _check(line, protocol, builder)
        if strict or line["role"] == "entry" or _stands(line, explanation, protocol, builder):
            kept.append(line)
        else:
            left_out.append(line["label"])
    if not left_out:
        return FittingEntries(kept)
    kind = "classifiers" if explanation is None else _name(explanation)
    what = f"left out, for they do not fit {kind} under protocol {protocol.name!r}"
    return FittingEntries(kept, f"{what}: {'; '.join(left_out)}")


def _check(line: Tree, protocol: Protocol, builder: Builder) -> None:
    """Raise `MismatchError` if the protocol does not score what the line makes."""
    kind = explanation_kind(line, builder)
    reason = _unlike(protocol, kind)
    if reason and kind is None and protocol.scores is not None:
        reason = (
            f"protocol {protocol.name!r} scores {protocol.scores.name}, but it has no explainer"
        )
    if reason:
        raise MismatchError(f"{line['role']} {line['label']!r} does not fit: {reason}")


def _stands(
    line: Tree, explanation: type[Explanation] | None, protocol: Protocol, builder: Builder
) -> bool:
    """Whether the floor or ceiling can stand beside entries that make such explanations."""
    kind = explanation_kind(line, builder)
    if _unlike(protocol, kind) or not set(asked_of_protocol(line)) <= protocol.parameters().keys():
        return False
    if kind is None or explanation is None:
        return True
    return issubclass(explanation, kind) or not speaks_of_entry(line)


def _buildable(names: Sequence[str], builder: Builder) -> Iterator[Protocol]:
    """The protocols that need no parameter which nobody gave."""
    for name in names:
        with contextlib.suppress(ParameterError):
            yield builder.build("protocol", name)


def _mismatch(protocol: Protocol, explanation: type | None, dataset: Dataset) -> str | None:
    missing = [kind.__name__ for kind in protocol.needs() if not isinstance(dataset, kind)]
    if missing and not _unlike(protocol, explanation):
        return (
            f"protocol {protocol.name!r} needs {', '.join(missing)}, "
            f"which dataset {dataset.name!r} does not have"
        )
    return _unlike(protocol, explanation)


def _unlike(protocol: Protocol, explanation: type | None) -> str | None:
    """What is wrong with scoring explanations of this kind, or classifiers, if anything."""
    does = f"scores {protocol.scores.name}" if protocol.scores else "compares classifiers"
    if explanation is None and protocol.scores is not None:
        return f"protocol {protocol.name!r} {does}, but no entry has an explainer that makes them"
    if explanation is not None and (
        protocol.scores is None or not issubclass(explanation, protocol.scores)
    ):
        return f"protocol {protocol.name!r} {does}, but the explainer makes {_name(explanation)}"
    return None


def _name(explanation: type) -> str:
    return str(getattr(explanation, "name", explanation.__name__))


def _scorers(explanation: type | None, protocols: Mapping[str, type[Protocol]]) -> str:
    """Which protocols score what is made, on whatever dataset."""
    if explanation is None:
        return "; protocols that need none compare classifiers"
    having = [
        n for n, cls in protocols.items() if cls.scores and issubclass(explanation, cls.scores)
    ]
    if not having:
        return "; no protocol scores that, but `xbench explain` draws it"
    return f"; protocols that score that: {', '.join(having)}"


def _owners(protocol: Protocol, registry: Registry) -> str:
    """Which datasets have all that the protocol needs."""
    names = registry.names("dataset")
    having = [
        n for n in names if all(issubclass(registry.get("dataset", n), k) for k in protocol.needs())
    ]
    return f"; datasets that have all it needs: {', '.join(having) or 'none'}"
