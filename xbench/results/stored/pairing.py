"""Comparisons of two stored entries, paired by case where that is right."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from xbench.errors import MismatchError
from xbench.interfaces.component import versions
from xbench.interfaces.protocol import CaseScores
from xbench.interfaces.resampling import Resampling
from xbench.results.comparison import Verdict, verdict
from xbench.results.numbers import (
    counted,
    level_text,
    listed,
    signed_interval,
    signed_text,
    unit_text,
    value_text,
)
from xbench.results.prose.sentences import beside_value
from xbench.results.record import DifferenceRecord, Number, Record, ScoreRecord, number
from xbench.results.sample import both_scored, sample_of
from xbench.results.score_records import finite_numbers
from xbench.results.scores_file import case_scores
from xbench.results.statistics import Draws, difference
from xbench.results.stored.settings import Settings, flat
from xbench.results.tables import Row, Table

APART = "--unpaired compares them nevertheless, each resampled for itself"
"""The way out where pairing would be wrong."""


class Judged(NamedTuple):
    """A record with its scores case by case."""

    record: Record
    scores: pa.Table


class ComparedScore(NamedTuple):
    """A score that both have, and what the first has more of it."""

    score: ScoreRecord
    """The first's, over all of its cases."""
    of: Number
    """Like `minus`, over the cases that are compared."""
    minus: Number
    difference: DifferenceRecord
    verdict: Verdict


class Pairing(NamedTuple):
    """What two entries have in common, and how they differ."""

    of: Record
    minus: Record
    labels: tuple[str, str]
    """Those of both, with as much more as tells them apart."""
    scores: tuple[ComparedScore, ...]
    warnings: tuple[str, ...]


def compared(of: Judged, minus: Judged, *, unpaired: bool = False) -> Pairing:
    """Each score that both have: the first's minus the second's, on the cases of both.

    A score of some cases only, not the same of both, as the confidence where an entry is right, is
    compared unpaired.
    `MismatchError` says why they cannot be compared, or not paired. Intervals are drawn as those
    of the first record were.
    """
    faults = list(_faults(of.record, minus.record, unpaired=unpaired))
    if faults:
        raise MismatchError(f"{_names(of, minus)} cannot be compared: {faults[0]}")
    ours, theirs = case_scores(*of[::-1]), case_scores(*minus[::-1])
    lines = tuple(_different(of.record, minus.record))
    if not unpaired:
        ours, theirs, lost = _on_common_cases(ours, theirs, (of, minus))
        lines = (*lost, *lines)
    draws = Draws(Resampling(**of.record.intervals.model_dump()))
    labels = _labels(of.record, minus.record)
    scores = tuple(_compared(ours, theirs, (of.record, minus.record), labels, draws, unpaired))
    if not scores:
        raise MismatchError(f"{_names(of, minus)} have no score in common")
    return Pairing(of.record, minus.record, labels, scores, lines)


def _compared(
    ours: Sequence[Sequence[CaseScores]],
    theirs: Sequence[Sequence[CaseScores]],
    records: tuple[Record, Record],
    labels: tuple[str, str],
    draws: Draws,
    apart: bool,
) -> Iterator[ComparedScore]:
    for score in records[0].scores:
        a, b = (_named(score.name, repeats) for repeats in (ours, theirs))
        if a and b:
            made = asdict(difference(labels, a, b, draws.resampling, draws, apart=apart))
            del made["of"]
            record = DifferenceRecord(minus_key=records[1].key, **finite_numbers(made))
            if not (apart or record.paired) and _named_alike(a, b):
                message = "their cases are grouped in different ways"
                raise MismatchError(f"{' and '.join(labels)} cannot be paired: {message}; {APART}")
            one, two = _means(a, b, paired=record.paired)
            found = verdict(record.low, record.high, 0, score.direction)
            yield ComparedScore(score, number(one), number(two), record, found)


def _named_alike(a: Sequence[CaseScores], b: Sequence[CaseScores]) -> bool:
    """Whether both scored the same cases; not where a score is of some, as of those got right."""
    return _cases([a]) == _cases([b])


def _named(name: str, repeats: Sequence[Sequence[CaseScores]]) -> list[CaseScores]:
    return [score for of in repeats for score in of if score.name == name]


def _means(
    of: Sequence[CaseScores], minus: Sequence[CaseScores], *, paired: bool
) -> tuple[float, float]:
    """The means of both, over the cases that both scored where they are paired."""
    a, b = sample_of(of), sample_of(minus)
    a, b = both_scored(a, b) if paired else (a, b)
    return a.mean, b.mean


def _names(of: Judged, minus: Judged) -> str:
    return " and ".join(map(repr, _labels(of.record, minus.record)))


def _labels(of: Record, minus: Record) -> tuple[str, str]:
    """Their labels, with as much more as tells them apart."""
    if of.label != minus.label:
        return of.label, minus.label
    if of.benchmark != minus.benchmark:
        return f"{of.label}@{of.benchmark}", f"{minus.label}@{minus.benchmark}"
    return f"{of.label} ({of.key[:8]})", f"{minus.label} ({minus.key[:8]})"


def _faults(of: Record, minus: Record, *, unpaired: bool) -> Iterator[str]:
    """Why they cannot be compared, and unless it is asked for unpaired, not paired."""
    if of.key == minus.key:
        yield f"they are the same record, {of.key[:8]}; name two"
    one, two = of.protocol.get("name"), minus.protocol.get("name")
    if one != two:
        yield f"protocol {one!r} scored the one, {two!r} the other; run both in one benchmark"
    if unpaired:
        return
    yield from _other_measure(of, minus)
    yield from _other_images(of, minus)


def _other_measure(of: Record, minus: Record) -> Iterator[str]:
    """What makes a score of the one mean something else than of the other."""
    again = "run one of them again with the other's, or in one benchmark"
    one, two = of.protocol, minus.protocol
    if one.get("version") != two.get("version"):
        which = f"versions {one.get('version')} and {two.get('version')}"
        yield f"{which} of protocol {one.get('name')} scored them; {again}; {APART}"
    for path, both in _changes(flat(one), flat(two)):
        yield f"parameter {path!r} of their protocol differs ({both}); {again}; {APART}"
    editions = [record.benchmark_version.partition("+")[2] for record in (of, minus)]
    if editions[0] != editions[1]:
        yield f"what they were measured with differs ({_either(editions)}); {again}; {APART}"
    if of.compared_set != minus.compared_set:
        yield f"their scores depend on what else was compared, which differs; {again}; {APART}"


def _other_images(of: Record, minus: Record) -> Iterator[str]:
    """Of which images the cases are that have the same names."""
    one, two = (
        {r: image_set_text(t) for r, t in record.datasets.items()} for record in (of, minus)
    )
    for role in sorted(one.keys() & two.keys()):
        if role not in ("train", "validation") and one[role] != two[role]:
            yield f"the images of {role!r} differ ({_either([one[role], two[role]])}); {APART}"


def image_set_text(tree: Mapping[str, Any]) -> str:
    """Which images a record's tree of an image set is of, in words."""
    dataset = tree.get("dataset", {}).get("name", "?")
    return f"{dataset}, split {tree.get('split', '?')}, {str(tree.get('fingerprint', '?'))[:8]}"


def _either(texts: Sequence[str]) -> str:
    return " and ".join(text or "nothing" for text in texts)


def _changes(one: Settings, two: Settings) -> Iterator[tuple[str, str]]:
    """Paths of parameters that differ, with both values."""
    for path in [*one, *(path for path in two if path not in one)]:
        if one.get(path) != two.get(path):
            yield path, _either([_short(one.get(path)), _short(two.get(path))])


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _different(of: Record, minus: Record) -> Iterator[str]:
    """What differs and does not forbid to pair them."""
    told = {
        "benchmark": [f"{r.benchmark} {r.benchmark_version}" for r in (of, minus)],
        "seeds": [", ".join(map(str, r.seeds)) for r in (of, minus)],
        "devices": [r.device for r in (of, minus)],
        "transforms of images": [_transforms(r) for r in (of, minus)],
    }
    yield from (
        f"{what} differ: {_either(both)}" for what, both in told.items() if len({*both}) > 1
    )
    one, two = (_versions(record) for record in (of, minus))
    for name in sorted(one.keys() & two.keys()):
        if one[name] != two[name]:
            yield f"versions of {name} differ: {one[name]} and {two[name]}"
    if minus.status != "complete" or of.status != "complete":
        yield f"not both are complete: {of.status} and {minus.status}"


def _transforms(record: Record) -> str:
    tree = record.datasets.get("test", {}).get("transform", {})
    return ", ".join(f"{key} {value}" for key, value in tree.items())


def _versions(record: Record) -> dict[str, str]:
    """Versions of packages and of components."""
    return {**record.packages, **versions([record.protocol, record.components, record.datasets])}


def _on_common_cases(
    ours: Sequence[Sequence[CaseScores]],
    theirs: Sequence[Sequence[CaseScores]],
    judged: tuple[Judged, Judged],
) -> tuple[list[list[CaseScores]], list[list[CaseScores]], tuple[str, ...]]:
    """The scores of both on the cases that both have, and a line on what was left out."""
    one, two = map(_cases, (ours, theirs))
    common = one & two
    if not common:
        raise MismatchError(f"{_names(*judged)} have no case in common; {APART}")
    if one == two:
        return [list(of) for of in ours], [list(of) for of in theirs], ()
    first, second = _labels(*(of.record for of in judged))
    line = f"compared on the {len(common)} cases of both; {first} has {len(one)}, "
    kept = [[[_of(s, common) for s in of] for of in repeats] for repeats in (ours, theirs)]
    return kept[0], kept[1], (f"{line}{second} {len(two)}",)


def _cases(repeats: Sequence[Sequence[CaseScores]]) -> set[str]:
    return {str(name) for of in repeats for scores in of for name in np.unique(scores.cases)}


def _of(scores: CaseScores, cases: set[str]) -> CaseScores:
    """The scores of these cases alone."""
    mask = np.array([str(name) in cases for name in scores.cases], bool)
    clusters = tuple(names[mask] for names in scores.clusters)
    kept = {"cases": scores.cases[mask], "values": scores.values[mask], "clusters": clusters}
    return replace(scores, **kept)


def paired_table(pairing: Pairing) -> Table:
    """A row for each score: both values, and the first minus the second."""
    columns = ("score", "A", "B", "A − B", "interval", "cases", "A is")
    paired = pairing.scores[0].difference.paired
    level = level_text(pairing.of.intervals.level)
    title = f"A − B, {'paired by case' if paired else 'unpaired'}, with {level} intervals"
    rows = tuple(_row(score, paired=paired) for score in pairing.scores)
    return Table(title, columns, rows)


def _row(score: ComparedScore, *, paired: bool) -> Row:
    """Says so where the score is not paired and the first one is."""
    own, made = score.score, score.difference
    values = (value_text(value, own.unit) for value in (score.of, score.minus))
    cells = signed_text(made.value, made.unit), signed_interval(made.low, made.high, made.unit)
    name = f"{own.name}{unit_text(own.unit)}"
    word = score.verdict if made.paired or not paired else f"{score.verdict} (unpaired)"
    return Row(name, (*values, *cells, str(made.n), word))


def conclusion(pairing: Pairing) -> tuple[str, ...]:
    """In sentences, what the scores that decide comparisons say, and how the others fall."""
    headlines = [score for score in pairing.scores if score.score.headline]
    sentences = [_sentence(score, pairing.labels) for score in headlines]
    rest = Counter(score.verdict for score in pairing.scores if not score.score.headline)
    if rest:
        counts = listed([f"{_WORDS.get(name, name)} in {n}" for name, n in rest.most_common()])
        sentences.append(f"Of {counted(rest.total(), 'other score')}: {counts}.")
    return tuple(sentences)


_WORDS = {"tie": "a tie", "not computable": "no number"}


def _sentence(score: ComparedScore, labels: tuple[str, str]) -> str:
    """Which of both is better in a score, with the numbers."""
    one, two = (f"'{label}'" for label in labels)
    name = score.score.name
    if score.verdict == "not computable":
        return f"In {name} {one} and {two} cannot be compared."
    words = "ties with" if score.verdict == "tie" else f"is {score.verdict} than"
    numbers = beside_value(score.of, score.minus, score.difference)
    return f"In {name} {one} {words} {two} ({numbers})."
