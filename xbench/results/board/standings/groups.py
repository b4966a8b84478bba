"""Groups of entries that pair: measured with the same on the same images and networks."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from xbench.results.board.standings.submitted import Submitted
from xbench.results.numbers import counted, level_text, listed
from xbench.results.record import Record, WeightsRecord
from xbench.results.stored.pairing import image_set_text
from xbench.results.stored.settings import flat

OWN = "explainer/"
"""How the names of weights begin that are an explainer's own, and so a part of the entry."""
MOST_NAMED = 3
MOST_SHOWN = 24
"""Characters that are shown of what a submission says."""


class Measure(NamedTuple):
    """What must be the same of entries that are ranked together."""

    version: str
    """Of the benchmark, with what it was measured with."""
    variants: tuple[str, ...]
    """Names of the benchmark's variants that were laid on it."""
    protocol: Mapping[str, str]
    """Its name, its version and its parameters by their paths, each as JSON."""
    compared_set: str | None
    images: Mapping[str, tuple[str, str]]
    """Of each role but those of training, the image set, and its fingerprint and transform."""
    networks: int
    weights: tuple[tuple[tuple[str, str], ...], ...] | None
    """Of each repeat, by name; None where the classifiers themselves are compared."""
    level: float
    """Of intervals."""

    def text(self) -> str:
        """The same for the same measures."""
        return _json(self)


def _image_set(tree: Any) -> tuple[str, str]:
    """Its name in words, and all that makes other images; any tree that a stranger writes."""
    if not (isinstance(tree, Mapping) and isinstance(tree.get("dataset", {}), Mapping)):
        return "unknown", _json(tree)
    whole = [image_set_text(tree), tree.get("fingerprint"), tree.get("transform")]
    return image_set_text(tree), _json(whole)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


class Group(NamedTuple):
    """Entries that pair, by name."""

    entries: tuple[Submitted, ...]
    measure: Measure


def measure(record: Record) -> Measure:
    """What a record was measured with, as far as others must share it to be ranked beside it."""
    images = {
        role: _image_set(tree)
        for role, tree in record.datasets.items()
        if role not in ("train", "validation")
    }
    weights = tuple(tuple(sorted(_weights(of_repeat))) for of_repeat in record.weights)
    return Measure(
        record.benchmark_version,
        tuple(record.heading.variants) if record.heading else (),
        {path: _json(value) for path, value in _protocol(record)},
        record.compared_set,
        images,
        len(record.rows),
        weights if _has_explainer(record.components) else None,
        record.intervals.level,
    )


def _protocol(record: Record) -> Iterator[tuple[str, Any]]:
    tree = record.protocol
    yield "name", tree.get("name")
    yield "version", tree.get("version")
    yield from ((f"parameter {path}", value) for path, value in flat(tree).items())


def _weights(of_repeat: Sequence[WeightsRecord]) -> Iterator[tuple[str, str]]:
    """Names and contents of the weights that are explained, not of an explainer's own."""
    for one in of_repeat:
        if not one.name.startswith(OWN):
            yield one.name, one.state or one.key


def _has_explainer(components: Mapping[str, Any]) -> bool:
    """Whether explanations are compared, and not the classifiers of an entry or its members."""
    members = (of for of in components.values() if isinstance(of, Mapping))
    return "explainer" in components or any("explainer" in of for of in members)


def groups(entries: Sequence[Submitted]) -> list[Group]:
    """The entries that pair; the first group is the one that a board is about.

    That is the largest; of several the one with most reference weights, then the newest.
    """
    pairing: dict[str, list[Submitted]] = defaultdict(list)
    for one in sorted(entries, key=lambda one: one.name):
        pairing[measure(one.record).text()].append(one)
    found = [(text, Group(tuple(of), measure(of[0].record))) for text, of in pairing.items()]
    found.sort(key=lambda pair: (_weight(pair[1]), pair[0]), reverse=True)
    return [group for _, group in found]


def _weight(group: Group) -> tuple[int, int, str]:
    records = [one.record for one in group.entries]
    weights = [weights for record in records for of in record.weights for weights in of]
    added = max(one.entry.added for one in group.entries)
    return len(records), sum(one.reference for one in weights), added


def apart(of: Measure, main: Measure) -> str:
    """In what a measure differs from the one of the main group, in a line."""
    return listed(list(_differences(of, main)))


def _differences(of: Measure, main: Measure) -> Iterator[str]:
    if of.version != main.version:
        yield f"version {_short(of.version)} of the benchmark"
    if of.variants != main.variants:
        yield f"variant {_short(' '.join(of.variants))}" if of.variants else "no variant"
    yield from _other_parameters(of.protocol, main.protocol)
    for role in sorted({**of.images, **main.images}):
        if of.images.get(role) != main.images.get(role):
            yield f"other images of {_short(role)!r} ({of.images.get(role, ('none',))[0]:.80})"
    if of.networks != main.networks:
        yield f"{counted(of.networks, 'network')} instead of {main.networks}"
    elif (of.weights is None) != (main.weights is None):
        yield (
            "classifiers instead of explainers"
            if of.weights is None
            else "explainers instead of classifiers"
        )
    elif of.weights != main.weights:
        yield "other weights"
    if of.level != main.level:
        yield f"intervals of {level_text(of.level)}"
    if of.compared_set != main.compared_set:
        yield "scores that depend on which other entries were compared"


def _other_parameters(of: Mapping[str, str], main: Mapping[str, str]) -> Iterator[str]:
    paths = [path for path in sorted({**of, **main}) if of.get(path) != main.get(path)]
    for path in paths[:MOST_NAMED]:
        values = (_short(tree.get(path, "nothing")) for tree in (of, main))
        yield f"the protocol's {_short(path)} {' instead of '.join(values)}"
    if len(paths) > MOST_NAMED:
        yield f"{counted(len(paths) - MOST_NAMED, 'more parameter')} of the protocol"


def _short(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"
