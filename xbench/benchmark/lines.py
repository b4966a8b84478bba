"""Lines: what a benchmark compares, from the tables of its entries to their components."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from xbench.benchmark.declaration import OF_LINE, SUBJECT
from xbench.components.specification import Builder, as_table, overlay, plain_table
from xbench.errors import ParameterError, UnknownNameError
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Tree
from xbench.interfaces.explanation import Explainer, Explanation
from xbench.interfaces.loss import Loss
from xbench.interfaces.protocol import Protocol, Role
from xbench.interfaces.training import Training

OF_ENTRY = ("label", "role", "explainer", *OF_LINE)
"""What the table of an entry may say."""
OF_PROTOCOL = "@protocol."
"""Before the name of a parameter: its value in the benchmark's protocol."""


@dataclass(frozen=True)
class Line:
    """One entry of a benchmark, before it is repeated."""

    label: str
    role: Role
    explainer: Explainer | None
    classifier: Classifier
    loss: Loss
    training: Training


def entry_tables(tree: Tree) -> list[Tree]:
    """The tables of all that is compared, each with a label and a role."""
    entries = [_checked(tree["name"], place, line) for place, line in enumerate(tree["entries"])]
    if not subjects(entries):
        raise ParameterError("a benchmark needs at least one entry that is no floor or ceiling")
    return entries


def _checked(benchmark: str, place: int, line: Tree) -> Tree:
    where = f"benchmark {benchmark}: entries[{place}]"
    if not isinstance(line, Mapping) or not isinstance(line.get("label"), str):
        raise ParameterError(f"{where} needs a label")
    for key in line:
        if key not in OF_ENTRY:
            raise UnknownNameError(f"key of {where}", key, OF_ENTRY)
    role = line.get("role", "entry")
    if role not in get_args(Role):
        raise UnknownNameError(f"role of {where}", str(role), get_args(Role))
    return {**line, "role": role}


def subjects(entries: Sequence[Tree]) -> list[Tree]:
    """The entries that are no floor or ceiling."""
    return [line for line in entries if line["role"] == "entry"]


def explanation_kind(line: Tree, builder: Builder) -> type[Explanation] | None:
    """What the entry's explainer makes; None where it has no explainer."""
    if "explainer" not in line:
        return None
    name = builder.complete("explainer", line["explainer"], "explainer")["name"]
    kind: type[Explanation] = builder.registry.get("explainer", name).makes
    return kind


def explanation_of(entries: Sequence[Tree], builder: Builder) -> type[Explanation] | None:
    """What the explainer of the first entry that has one makes, floors and ceilings aside."""
    kinds = (explanation_kind(entry, builder) for entry in subjects(entries))
    return next((kind for kind in kinds if kind is not None), None)


def speaks_of_entry(line: Tree) -> bool:
    """Whether the line's explainer builds on that of an entry."""
    return any(map(_names_entry, as_table(line.get("explainer", {})).values()))


def _names_entry(value: Any) -> bool:
    return isinstance(value, str) and value.partition(":")[0] == SUBJECT


def asked_of_protocol(line: Tree) -> list[str]:
    """Names of the parameters of the protocol that the line's explainer takes."""
    values = as_table(line.get("explainer", {})).values()
    return [value.removeprefix(OF_PROTOCOL) for value in values if _names_parameter(value)]


def _names_parameter(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(OF_PROTOCOL)


def lines_of(
    tree: Tree, entries: Sequence[Tree], protocol: Protocol, builder: Builder
) -> Iterator[Line]:
    """The lines of the entries; beside every entry stand the floors that build on it."""
    compared = subjects(entries)
    for line in entries:
        label, role = line["label"], line["role"]
        if "explainer" not in line:
            yield Line(label, role, None, **own_parts(tree, line, builder))
            continue
        explainer = _with_protocol(as_table(line["explainer"]), protocol)
        for subject in _beside(explainer, compared):
            own = builder.build("explainer", _with_subject(explainer, subject))
            parts = own_parts(tree, subject or line, builder)
            several = len(compared) > 1 and SUBJECT in explainer.values()
            beside = f"{label}: {subject['label']}" if subject and several else label
            yield Line(beside, role, own, **parts)


def _beside(explainer: Tree, entries: Sequence[Tree]) -> Sequence[Tree | None]:
    """The entries beside which a line of this explainer stands; None where it stands alone."""
    if SUBJECT in explainer.values():
        return entries
    named = [v.partition(":")[2] for v in explainer.values() if _names_entry(v)]
    if not named:
        return [None]
    labels = {entry["label"]: entry for entry in entries}
    if named[0] not in labels:
        raise UnknownNameError("entry", named[0], labels)
    return [labels[named[0]]]


def own_parts(tree: Tree, line: Tree, builder: Builder) -> dict[str, Any]:
    """Classifier, loss and training of a line: its own laid on the benchmark's."""
    given = {key: overlay(tree.get(key, {}), line.get(key, {})) for key in OF_LINE}
    return {
        "classifier": builder.build("classifier", given["classifier"]),
        "loss": builder.build("loss", given["loss"]),
        "training": plain_table(Training, given["training"], "training"),
    }


def _with_protocol(explainer: Tree, protocol: Protocol) -> Tree:
    return {
        key: _parameter(protocol, value.removeprefix(OF_PROTOCOL))
        if _names_parameter(value)
        else value
        for key, value in explainer.items()
    }


def _parameter(protocol: Protocol, name: str) -> Any:
    if name not in protocol.parameters():
        raise UnknownNameError(
            f"parameter of protocol {protocol.name}", name, protocol.parameters()
        )
    return getattr(protocol, name)


def _with_subject(explainer: Tree, subject: Tree | None) -> Tree:
    """The explainer with that of the entry in its place."""
    if subject is None:
        return explainer
    if "explainer" not in subject:
        message = f"explainer {explainer['name']!r} builds on that of entry {subject['label']!r}"
        raise ParameterError(f"{message}, which has none")
    return {k: subject["explainer"] if _names_entry(v) else v for k, v in explainer.items()}
