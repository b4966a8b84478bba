"""Benchmarks: TOML files that say what is compared on what, read into frozen values."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xbench.benchmark.declaration import OF_LINE, SUBJECT, check_names, declared
from xbench.benchmark.published import Published, read_published
from xbench.components.registry import Registry, installed
from xbench.components.specification import (
    Builder,
    as_table,
    checked_defaults,
    overlay,
    plain_table,
)
from xbench.errors import MismatchError, ParameterError, UnknownNameError
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Tree
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.interfaces.data.transform import Transform
from xbench.interfaces.explanation import Explainer, Explanation
from xbench.interfaces.loss import Loss
from xbench.interfaces.protocol import Entry, Protocol, Role
from xbench.interfaces.readout import Difficulty
from xbench.interfaces.training import Training

OF_DATASET = ("train", "validation", "test")
"""Roles of splits that are always of the benchmark's own dataset."""
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


@dataclass(frozen=True)
class Contrast:
    """A difference between two entries that answers a question."""

    title: str
    of: str
    minus: str


@dataclass(frozen=True)
class Benchmark:
    """Everything a run needs to know, and nothing about where it runs."""

    name: str
    version: str
    title: str
    protocol: Protocol
    datasets: Mapping[str, ImageSet]
    classifier: Classifier
    loss: Loss
    training: Training
    lines: tuple[Line, ...]
    contrasts: tuple[Contrast, ...]
    seed: int
    repeats: int
    companion: Difficulty | None = None
    """What all classifiers are trained jointly with, if with anything."""
    published: Published | None = None
    varied: tuple[str, ...] = ()
    """Names of the variants that were laid on the file."""

    def entries(self, line: Line) -> Iterator[Entry]:
        """The line's entry for each repeat."""
        own = (line.classifier, line.loss, line.training)
        for repeat in range(self.repeats):
            common = Entry(
                label=line.label,
                role=line.role,
                explainer=line.explainer,
                classifier=self.classifier,
                loss=self.loss,
                training=self.training,
                datasets=self.datasets,
                repeat=repeat,
                seed=self.seed + repeat,
                companion=self.companion,
            )
            if own == (self.classifier, self.loss, self.training):
                yield common
            else:
                classifier, loss, training = own
                yield replace(
                    common, classifier=classifier, loss=loss, training=training, common=common
                )


def load_benchmark(
    name: str,
    registry: Registry | None = None,
    *,
    dataset: str | None = None,
    variants: Sequence[str] = (),
    explainer: str | None = None,
    changes: Tree | None = None,
) -> Benchmark:
    """The benchmark of this name, or in a `.toml` file of this path, with what is chosen of it.

    `changes` are nested as `-p` paths are: `{"training": {"epochs": 5}, "seed": 1}`.
    """
    known = registry or installed()
    path = Path(name) if name.endswith(".toml") else known.get("benchmark", name)
    tree = declared(path, dataset, variants, explainer, [changes or {}])
    return assemble(tree, known)


def assemble(tree: Tree, registry: Registry, *, scored: bool = True) -> Benchmark:
    """The benchmark that the tree describes; every component is built and checked.

    With `scored=False` the protocol need not fit: nothing is going to be scored.
    """
    builder = Builder(registry, checked_defaults(tree.get("defaults", {}), registry))
    dataset: Dataset = builder.build("dataset", tree["dataset"])
    protocol: Protocol = builder.build("protocol", tree["protocol"])
    lines = tuple(_lines(tree, protocol, builder))
    check_names(tree["name"], [line.label for line in lines])
    if scored:
        explainer = next((line.explainer for line in lines if line.explainer is not None), None)
        explanation = None if explainer is None else explainer.makes
        protocol = fitting_protocol(protocol, explanation, dataset, builder)
    own = _own_parts(tree, {}, builder)
    return Benchmark(
        name=tree["name"],
        version=str(tree["version"]),
        title=tree.get("title", ""),
        protocol=protocol,
        datasets=_image_sets(tree, dataset, builder),
        **own,
        lines=lines,
        contrasts=tuple(_contrasts(tree, lines)),
        seed=_whole(tree, "seed", 0),
        repeats=_whole(tree, "repeats", 1, least=1),
        companion=_companion(lines, protocol, scored=scored),
        published=read_published(tree["published"]) if tree.get("published") else None,
        varied=tuple(tree.get("varied", ())),
    )


def _companion(lines: tuple[Line, ...], protocol: Protocol, *, scored: bool) -> Difficulty | None:
    """The one difficulty score that classifiers have to be trained with, if there is one."""
    asked = [line.explainer.companion() for line in lines if line.explainer is not None]
    asked.append(protocol.companion() if scored else None)
    companions = list(dict.fromkeys(one for one in asked if one is not None))
    if len(companions) > 1:
        raise MismatchError(
            "the entries need classifiers that are trained in different ways, jointly with "
            f"{' and with '.join(map(str, companions))}; compare them in runs of their own"
        )
    return companions[0] if companions else None


def fitting_protocol(
    own: Protocol, explanation: type[Explanation] | None, dataset: Dataset, builder: Builder
) -> Protocol:
    """The benchmark's own protocol where it fits, else the only one that does.

    `explanation` is the kind that is made, None where classifiers are compared.
    """
    if _mismatch(own, explanation, dataset) is None:
        return own
    kinds = {
        name: builder.registry.get("protocol", name) for name in builder.registry.names("protocol")
    }
    alike = [name for name, cls in kinds.items() if (cls.scores is None) == (explanation is None)]
    others = list(_buildable([name for name in alike if name != own.name], builder))
    fitting = [other for other in others if _mismatch(other, explanation, dataset) is None]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        choices = ", ".join(protocol.name for protocol in fitting)
        raise MismatchError(f"several protocols fit: {choices}; choose with -p protocol.name=…")
    way_out = (
        _scorers(explanation, kinds)
        if _unlike(own, explanation)
        else _owners(own, builder.registry)
    )
    raise MismatchError(f"{_mismatch(own, explanation, dataset)}{way_out}")


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
        kind = getattr(explanation, "name", explanation.__name__)
        return f"protocol {protocol.name!r} {does}, but the explainer makes {kind}"
    return None


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


def _lines(tree: Tree, protocol: Protocol, builder: Builder) -> Iterator[Line]:
    entries = tree["entries"]
    for place, line in enumerate(entries):
        if not isinstance(line.get("label"), str):
            raise ParameterError(f"benchmark {tree['name']}: entries[{place}] needs a label")
    subjects = [line for line in entries if line.get("role", "entry") == "entry"]
    if not subjects:
        raise ParameterError("a benchmark needs at least one entry that is no floor or ceiling")
    for line in entries:
        role = line.get("role", "entry")
        if "explainer" not in line:
            yield Line(line["label"], role, None, **_own_parts(tree, line, builder))
            continue
        explainer = _with_protocol(as_table(line["explainer"]), protocol)
        for subject in _beside(explainer, subjects):
            own = builder.build("explainer", _with_subject(explainer, subject))
            parts = _own_parts(tree, subject or line, builder)
            several = len(subjects) > 1 and SUBJECT in explainer.values()
            label = f"{line['label']}: {subject['label']}" if subject and several else line["label"]
            yield Line(label, role, own, **parts)


def _beside(explainer: Tree, subjects: list[Tree]) -> Sequence[Tree | None]:
    """The entries beside which a line of this explainer stands; None where it stands alone."""
    if SUBJECT in explainer.values():
        return subjects
    named = [v.partition(":")[2] for v in explainer.values() if _speaks_of_entry(v)]
    if not named:
        return [None]
    labels = {subject["label"]: subject for subject in subjects}
    if named[0] not in labels:
        raise UnknownNameError("entry", named[0], labels)
    return [labels[named[0]]]


def _speaks_of_entry(value: Any) -> bool:
    return isinstance(value, str) and value.partition(":")[0] == SUBJECT


def _own_parts(tree: Tree, line: Tree, builder: Builder) -> dict[str, Any]:
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
        if isinstance(value, str) and value.startswith(OF_PROTOCOL)
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
    if subject is None:
        return explainer
    return {k: subject["explainer"] if _speaks_of_entry(v) else v for k, v in explainer.items()}


def _image_sets(tree: Tree, dataset: Dataset, builder: Builder) -> dict[str, ImageSet]:
    """Splits of the dataset by role; a table names another dataset, for a further test set."""
    transform = plain_table(Transform, tree.get("transform", {}), "transform")
    sets = {}
    for role, given in tree["splits"].items():
        if not isinstance(given, str) and role in OF_DATASET:
            raise ParameterError(f"splits.{role}: expected a split's name, got {given!r}")
        if isinstance(given, str):
            sets[role] = ImageSet(dataset, given, transform)
        else:
            sets[role] = _of_another(given, f"splits.{role}", transform, builder)
    return sets


def _of_another(tree: Any, where: str, transform: Transform, builder: Builder) -> ImageSet:
    if not isinstance(tree, Mapping) or "dataset" not in tree:
        raise ParameterError(f"{where}: expected a split's name, or a table with a dataset")
    for key in tree:
        if key not in ("dataset", "split"):
            raise UnknownNameError(f"key in {where}", key, ("dataset", "split"))
    dataset: Dataset = builder.build("dataset", tree["dataset"], f"{where}.dataset")
    return ImageSet(dataset, str(tree.get("split", "test")), transform)


def _contrasts(tree: Tree, lines: tuple[Line, ...]) -> Iterator[Contrast]:
    """The contrasts between labels that are there; the first entry's label stands for any."""
    labels = {line.label for line in lines}
    first = next(line.label for line in lines if line.role == "entry")
    for table in tree.get("contrasts", []):
        names = [first if table[side] == SUBJECT else table[side] for side in ("of", "minus")]
        if labels.issuperset(names):
            yield Contrast(table["title"], *names)


def _whole(tree: Tree, key: str, default: int, least: int = 0) -> int:
    value = tree.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ParameterError(f"{key}: expected a whole number of at least {least}, got {value!r}")
    return value
