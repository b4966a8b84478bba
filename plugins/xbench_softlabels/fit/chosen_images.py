"""Single images that are shown beside what people and networks say of them, chosen by a rule."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from xbench import Case, Entry
from xbench.figures import number_words
from xbench_softlabels.fit.rows import FitColumns
from xbench_softlabels.kernels.distances import human_distributions

IMAGES = 4
"""Of a picture."""

Answering = Callable[[Entry, Sequence[Case]], Mapping[Case, Float64[np.ndarray, " classes"]]]
"""The logarithms of an entry's probabilities for images."""


class Line(NamedTuple):
    """A line of the benchmark, and its rows."""

    label: str
    entry: Entry
    columns: FitColumns


class ShownImage(NamedTuple):
    """An image with what is said of it."""

    id: int
    label: int
    people: Float64[np.ndarray, " classes"]
    networks: Float64[np.ndarray, "lines classes"]
    distances: Float64[np.ndarray, " lines"]
    """Cross-entropies of the networks to people."""


class Choice(NamedTuple):
    """Images of a picture, and by which rule they were chosen."""

    title: str
    rule: str
    cases: tuple[Case, ...]


def choices(lines: Sequence[Line]) -> dict[str, Choice]:
    """The images that people doubt most, and those that networks fit most unequally, by file.

    They are among those that all lines were asked about; of equal ones the first are taken. A
    single line differs from none.
    """
    whom, names = lines[0].columns.whom, _common(lines)
    doubts = _values(lines[0], names, lines[0].columns.human_entropy)
    rule = f"The images of which the labels by {whom} have the highest entropy"
    pictures = {"doubted-images": _choice(f"What {whom} doubt most", rule, names, doubts)}
    if len(lines) > 1:
        fits = [_values(line, names, line.columns.cross_entropy) for line in lines]
        rule = "The images whose cross-entropies differ most from network to network"
        apart = _choice("Where networks differ most", rule, names, np.ptp(fits, axis=0))
        pictures["disputed-images"] = apart
    return pictures


def _common(lines: Sequence[Line]) -> list[str]:
    others = [set(line.columns.cases.tolist()) for line in lines]
    return [name for name in lines[0].columns.cases.tolist() if all(name in of for of in others)]


def _values(
    line: Line, names: Sequence[str], values: Float64[np.ndarray, " n"]
) -> Float64[np.ndarray, " images"]:
    """Those of the named cases."""
    places = {name: place for place, name in enumerate(line.columns.cases.tolist())}
    return values[[places[name] for name in names]]


def _choice(
    title: str, rule: str, names: Sequence[str], values: Float64[np.ndarray, " images"]
) -> Choice:
    order = np.argsort(-values, kind="stable")[:IMAGES]
    largest = ", ".join(number_words(value, 2) for value in values[order])
    cases = tuple(Case.parse(names[place]) for place in order)
    return Choice(title, f"{rule} ({largest} nats)", cases)


def shown_images(
    lines: Sequence[Line], cases: Sequence[Case], answering: Answering
) -> list[ShownImage]:
    """What people and the lines' networks say of the cases."""
    answers = [answering(line.entry, cases) for line in lines]
    return [_shown(lines, case, [own[case] for own in answers]) for case in cases]


def _shown(
    lines: Sequence[Line], case: Case, logarithms: Sequence[Float64[np.ndarray, " classes"]]
) -> ShownImage:
    columns, name = lines[0].columns, [str(case)]
    place = _values(lines[0], name, np.arange(len(columns.cases), dtype=np.float64)).astype(int)
    people = human_distributions(columns.counts[place])[0]
    distances = [_values(line, name, line.columns.cross_entropy)[0] for line in lines]
    networks = np.exp(np.stack(logarithms))
    label = int(columns.labels[place][0])
    return ShownImage(case.id, label, people, networks, np.array(distances))
