"""Lines: what a benchmark compares, from the tables of its entries to their components."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from xbench.benchmark.ensembles import read_ensemble
from xbench.benchmark.grid import OF_LINE, SUBJECT, grid_entries
from xbench.benchmark.pins import read_pins
from xbench.benchmark.unpinned import OF_TRAINING, unpinned
from xbench.components.specification import Builder, as_table, overlay, plain_table
from xbench.errors import ParameterError, UnknownNameError
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Tree
from xbench.interfaces.explanation import Explainer, Explanation
from xbench.interfaces.loss import Loss
from xbench.interfaces.protocol import Protocol, Role
from xbench.interfaces.training import Training
from xbench.training.live_weights import LiveState
from xbench.training.pinned_weights import WeightsSource

OF_ENTRY = ("label", "role", "explainer", "ensemble", *OF_LINE)
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
    cell: Mapping[str, str] = field(default_factory=dict)
    """Names of the values of a grid's axes; empty outside grids."""
    weights: tuple[WeightsSource | LiveState, ...] = ()
    ensemble: tuple[str, ...] = ()
    """Labels of the lines that it is an ensemble of."""


def entry_tables(tree: Tree) -> list[Tree]:
    """The tables of all that is compared: of the grid, and of the entries outside it."""
    alone = [_checked(tree["name"], place, line) for place, line in enumerate(tree["entries"])]
    entries = [*grid_entries(tree.get("grid", {})), *alone]
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
    if speaks_of_entry(line):
        _check_of_entry(line, where)
    return {**line, "role": role, "ensemble": read_ensemble(line)}


def _check_of_entry(line: Tree, where: str) -> None:
    """Refuse what the line would have of its own: it has what its entry has."""
    for key in OF_LINE:
        if key in line:
            raise ParameterError(
                f"{where} builds on an entry ({SUBJECT}), and has that entry's {key}: leave {key} "
                "out, or name an explainer that builds on none"
            )


def subjects(entries: Sequence[Tree]) -> list[Tree]:
    """The entries that are no floor or ceiling."""
    return [line for line in entries if line["role"] == "entry"]


def explanation_kind(line: Tree, builder: Builder) -> type[Explanation] | None:
    """What the entry's explainer makes; None where it has no explainer."""
    if "explainer" not in line:
        return None
    cls = builder.class_of("explainer", line["explainer"], "explainer")
    kind: type[Explanation] = cls.makes
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
        for subject in _beside(line, compared):
            # a floor of the grid knows all of its cell; another one has what its entry has
            of = line if subject is None or "cell" in line else subject
            yield Line(
                label=_label(line, subject, several=len(compared) > 1),
                role=line["role"],
                explainer=_explainer(line, subject, protocol, builder),
                cell=of.get("cell", {}),
                ensemble=line.get("ensemble", ()),
                **own_parts(tree, of, builder),
            )


def _label(line: Tree, subject: Tree | None, *, several: bool) -> str:
    """The line's label, and where it stands beside each of several entries also that entry's."""
    everywhere = SUBJECT in as_table(line.get("explainer", {})).values()
    label: str = line["label"]
    return f"{label}: {subject['label']}" if subject and several and everywhere else label


def _explainer(
    line: Tree, subject: Tree | None, protocol: Protocol, builder: Builder
) -> Explainer | None:
    if "explainer" not in line:
        return None
    explainer = _with_subject(_with_protocol(as_table(line["explainer"]), protocol), subject)
    built: Explainer = builder.build("explainer", explainer)
    return built


def _beside(line: Tree, entries: Sequence[Tree]) -> Sequence[Tree | None]:
    """The entries beside which a line stands; None where it stands alone."""
    explainer = as_table(line.get("explainer", {}))
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
    """Classifier, loss, training and weights of a line: its own laid on the benchmark's.

    Weights that the benchmark pins are not those of a line with another training.
    """
    shared = unpinned(tree, line)
    given = {key: overlay(shared.get(key, {}), line.get(key, {})) for key in OF_TRAINING}
    classifier: Classifier = builder.build("classifier", given["classifier"])
    return {
        "classifier": classifier,
        "weights": read_pins(line.get("weights", shared.get("weights", "")), classifier),
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
