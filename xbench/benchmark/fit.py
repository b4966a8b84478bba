"""Fit: which protocol scores what is made, and which floors and ceilings stand beside it."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from xbench.benchmark.declaration import choose, parsed_file, read
from xbench.benchmark.lines import (
    asked_of_protocol,
    entry_tables,
    explanation_kind,
    explanation_of,
    speaks_of_entry,
)
from xbench.components.specification import Builder, as_table, overlay
from xbench.errors import (
    DatasetError,
    MismatchError,
    ParameterError,
    UnknownNameError,
    UsageError,
)
from xbench.interfaces.component import Tree
from xbench.interfaces.data.annotation import AnnotationKind, kinds_of
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.interfaces.explanation import Explanation
from xbench.interfaces.protocol import Protocol


class FittingProtocol(NamedTuple):
    """A protocol that fits."""

    protocol: Protocol
    remark: str = ""
    """Why it stands in the place of the benchmark's own; empty where it is that."""
    beside: tuple[Tree, ...] | None = None
    """Floors and ceilings of the benchmark that it was taken from, if it was from one."""


class FittingEntries(NamedTuple):
    """The tables of entries that fit the protocol and each other."""

    entries: list[Tree]
    remark: str = ""
    """Which floors and ceilings were left out, and why; empty where none was."""


class Wanted(NamedTuple):
    """What a protocol has to fit."""

    explanation: type[Explanation] | None
    """The kind that is made; None where classifiers are compared."""
    dataset: Dataset
    parameters: Tree
    """What was asked of the benchmark's protocol, and goes to another one in its place."""


class WayOut(NamedTuple):
    """What fits instead."""

    said: str
    instead: tuple[str, ...] = ()
    """Options of the command line that choose it."""


def fitting_protocol(
    own: Protocol, wanted: Wanted, builder: Builder, chosen: Collection[str] = ()
) -> FittingProtocol:
    """The benchmark's own protocol, or the one that fits where that does not fit what was chosen.

    `chosen` are the kinds of components that were not taken from the benchmark's file. The own one
    gives way to a chosen explainer, to a dataset only beside one: who names a benchmark and a
    dataset wants what it scores. `MismatchError` where no protocol fits, several do, or the own one
    does not give way.
    """
    explanation, dataset, asked = wanted
    reason = _mismatch(own, explanation, dataset)
    if reason is None:
        return FittingProtocol(own)
    kinds = {
        name: builder.registry.get("protocol", name) for name in builder.registry.names("protocol")
    }
    unlike = _unlike(own, explanation) is not None
    gives_way = {"explainer"} if unlike else {"explainer", "dataset"}
    if gives_way.issubset(chosen) and "protocol" not in chosen:
        alike = [n for n, cls in kinds.items() if (cls.scores is None) == (explanation is None)]
        others = _buildable([name for name in alike if name != own.name], builder)
        fitting = [other for other in others if _mismatch(other, explanation, dataset) is None]
        usual = _usual(wanted, builder)
        if usual is not None:
            names = [other.name for other in fitting if other.name != usual.protocol.name]
            also = _also(names, dataset, builder)
            remark = f"{usual.remark}, in the place of {own.name!r}: {reason}{also}"
            return usual._replace(remark=remark)
        if fitting:
            _refuse_several([protocol.name for protocol in fitting], dataset, builder)
            instead = f"protocol {fitting[0].name!r}, with its defaults, in the place of "
            other = builder.build("protocol", {"name": fitting[0].name, **asked})
            return FittingProtocol(other, f"{instead}{own.name!r}: {reason}")
    way_out = _scorers(explanation, kinds, dataset, builder) if unlike else _owners(own, builder)
    raise MismatchError(f"{reason}; {way_out.said}", way_out.instead)


def _usual(wanted: Wanted, builder: Builder) -> FittingProtocol | None:
    """The protocol of the first benchmark that says it is the default for such explanations.

    None where no installed benchmark says so, or those that do need another dataset.
    """
    explanation, dataset, asked = wanted
    kinds = () if explanation is None else tuple(map(_name, explanation.__mro__))
    for name in builder.registry.names("benchmark"):
        path = builder.registry.get("benchmark", name)
        if parsed_file(path).get("default_for") in kinds:
            tree = choose(read(path), explainer="")
            protocol = builder.build("protocol", overlay(as_table(tree["protocol"]), asked))
            if _mismatch(protocol, explanation, dataset) is None:
                remark = f"protocol {protocol.name!r}, as in benchmark {name!r}"
                others = (line for line in entry_tables(tree) if line["role"] != "entry")
                return FittingProtocol(protocol, remark, tuple(others))
    return None


def _also(protocols: Sequence[str], dataset: Dataset, builder: Builder) -> str:
    """Which other protocols fit, and the benchmarks that have them."""
    if not protocols:
        return ""
    way_out = _benchmarks(protocols, dataset, builder)
    return f"; protocols that fit as well: {', '.join(protocols)}{way_out.said}"


def _refuse_several(protocols: Sequence[str], dataset: Dataset, builder: Builder) -> None:
    if len(protocols) > 1:
        way_out = _benchmarks(protocols, dataset, builder)
        instead = way_out.instead or ("-p", f"protocol.name={protocols[0]}")
        message = f"several protocols fit: {', '.join(protocols)}; choose with -p protocol.name=…"
        raise MismatchError(f"{message}{way_out.said}", instead)


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
    missing = [_either(need) for need in protocol.needs() if not isinstance(dataset, need)]
    if protocol.needs_labels and not dataset.has_labels:
        missing.append("labels")
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


def _either(need: AnnotationKind) -> str:
    return " or ".join(kind.__name__ for kind in kinds_of(need))


def _name(explanation: type) -> str:
    return str(getattr(explanation, "name", explanation.__name__))


def _scorers(
    explanation: type | None,
    protocols: Mapping[str, type[Protocol]],
    dataset: Dataset,
    builder: Builder,
) -> WayOut:
    """Which protocols and benchmarks score what is made, those on the same dataset first."""
    if explanation is None:
        return WayOut("protocols that need none compare classifiers")
    having = [
        n for n, cls in protocols.items() if cls.scores and issubclass(explanation, cls.scores)
    ]
    if not having:
        said = "no protocol scores that, but `xbench explain` draws it"
        return WayOut(said, ("explain", "PHOTO"))
    way_out = _benchmarks(having, dataset, builder)
    said = f"protocols that score that: {', '.join(having)}{way_out.said}"
    candidates = list(_buildable(having, builder))
    if candidates and all(_mismatch(one, explanation, dataset) for one in candidates):
        said += f"; none takes dataset {dataset.name!r}, but `xbench explain` draws it"
        return WayOut(said, ("explain", "PHOTO"))
    return way_out._replace(said=said)


def _benchmarks(protocols: Collection[str], dataset: Dataset, builder: Builder) -> WayOut:
    """The installed benchmarks with one of the protocols, those of the dataset first."""
    found = sorted(_with_protocol(protocols, builder), key=lambda of: of[1] != dataset.name)
    if not found:
        return WayOut("")
    names = ", ".join(name for name, _ in found)
    return WayOut(f"; benchmarks that do: {names}", ("--benchmark", found[0][0]))


def _with_protocol(names: Collection[str], builder: Builder) -> Iterator[tuple[str, str]]:
    """The benchmarks that are installed with one of these protocols, and their datasets."""
    for name in builder.registry.names("benchmark"):
        path = builder.registry.get("benchmark", name)
        if "suite" not in parsed_file(path):
            tree = read(path)
            if as_table(tree["protocol"]).get("name") in names:
                yield name, str(as_table(tree["dataset"])["name"])


def _owners(protocol: Protocol, builder: Builder) -> WayOut:
    """Which datasets have all that the protocol needs; chosen is one whose files are here."""
    registry = builder.registry
    names = registry.names("dataset")
    having = [name for name in names if _has_all(registry.get("dataset", name), protocol)]
    said = f"datasets that have all it needs: {', '.join(having) or 'none'}"
    here = next((name for name in having if _is_here(name, builder)), "")
    return WayOut(said, ("--dataset", here) if here else ())


def _has_all(dataset: type[Dataset], protocol: Protocol) -> bool:
    """Whether images of the dataset come with all that the protocol reads."""
    labelled = dataset.has_labels or not protocol.needs_labels
    return labelled and all(issubclass(dataset, kind) for kind in protocol.needs())


def _is_here(dataset: str, builder: Builder) -> bool:
    """Whether the dataset can be had by its name, and its files are there."""
    with contextlib.suppress(UsageError):
        builder.build("dataset", dataset).check()
        return True
    return False


def check_splits(datasets: Mapping[str, ImageSet]) -> None:
    """Raise `UnknownNameError`, with a split that there is, for one that a dataset has not.

    Of a dataset whose files are not there nothing is known.
    """
    for role, images in datasets.items():
        with contextlib.suppress(DatasetError):
            splits = list(images.dataset.splits())
            if images.split not in splits:
                others = [split for split in splits if (split == "train") == (role == "train")]
                option = f"splits.{role}={(others or splits)[0]}"
                what = f"split of dataset {images.dataset.name!r}"
                hint = f"Choose with -p splits.{role}=…."
                raise UnknownNameError(what, images.split, splits, hint, ("-p", option))
