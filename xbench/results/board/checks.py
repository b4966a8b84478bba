"""What is wrong with a submission, as far as that can be told without running anything."""

import math
from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xbench.errors import SubmissionError
from xbench.interfaces.protocol import RANGES, CaseScores
from xbench.interfaces.resampling import Resampling
from xbench.kernels.names import name_places
from xbench.results.board.submission import RECORD, SCORES, Submission
from xbench.results.record import Number, Record, ScoreRecord, relative_key, rows_key
from xbench.results.scores_file import case_scores
from xbench.results.statistics import Draws, Score, summarised

MEAN, INTERVAL = 1e-9, 1e-6
"""How far a value, and an end of an interval, may be from what follows from the cases."""
TOLERANCES = {"value": MEAN, "low": INTERVAL, "high": INTERVAL, "deviation": INTERVAL}
SHARE = 1e-6
"""How far a share may lie beside 0 and 1: single precision."""
NOUNS = {"share": "share", "points": "difference of shares"}
WAY_OUT = "Submit a whole run's record with its scores, both as the run stored them."
MOST_NAMED = 8
"""So many faults does a message name."""
MOST_SCORES, MOST_RESAMPLES = 500, 10_000
MOST_DRAWN, MOST_WORK = 2**27, 2**31
"""Clusters times resamples: of all sizes that are drawn, and of all scores."""


def check(submission: Submission, known_cases: Collection[str] | None = None) -> None:
    """Raise `SubmissionError` where a submission cannot be right; it names the faults.

    `known_cases` are the names of the benchmark's cases, where somebody knows them.
    """
    found = faults(submission, known_cases)
    if found:
        name = submission.manifest.name
        more = [f"and {len(found) - MOST_NAMED} more"] if len(found) > MOST_NAMED else []
        told = "; ".join([*found[:MOST_NAMED], *more])
        raise SubmissionError(f"submission {name!r} is refused: {told}. {WAY_OUT}")


def faults(submission: Submission, known_cases: Collection[str] | None = None) -> list[str]:
    """What is wrong, each with its file and its place.

    What costs little is looked at first; scores are computed again only where nothing else is
    wrong.
    """
    record, scores = submission.record, submission.scores
    found = [*_faults_of_record(submission), *_faults_of_scores(record)]
    found = found or [*_faults_of_cases(scores, record, known_cases)]
    found = found or [*_faults_of_means(scores, record)]
    return found or [*_faults_of_values(scores, record)]


def _faults_of_record(submission: Submission) -> Iterator[str]:
    """What the record must be to be ranked, and what the manifest says of it."""
    manifest, record = submission.manifest, submission.record
    again = f"run it whole: xbench run --benchmark {manifest.benchmark}"
    if record.status != "complete" or record.awaited or record.failure:
        yield _at("status", f"is {record.status}; only complete results are ranked; {again}")
    if record.source != "run here":
        yield _at("source", f"is {record.source!r}: published figures are no entry; {again}")
    if record.limited_to is not None:
        yield _at("limited_to", f"only {record.limited_to} cases were evaluated; {again}")
    for name in ("benchmark", "benchmark_version"):
        stated, own = getattr(manifest, name), getattr(record, name)
        if stated != own:
            yield _at(name, f"is {own!r}, and submission.json says {stated!r}; submit it again")
    if manifest.record_key != record.key:
        yield _at("key", f"is {record.key!r}, and submission.json says another; submit it again")
    if record.key != expected_key(record):
        yield _at("key", f"is not that of its rows; {again}")
    yield from _faults_of_repeats(record)


def _at(place: str, fault: str, file: str = RECORD) -> str:
    return f"{file}, at {place}: {fault}"


def expected_key(record: Record) -> str:
    """The key that the record must have, of benchmark, rows and what else was compared.

    That the keys of the rows are those of its components cannot be told without the plugins.
    """
    version = record.benchmark_version.partition("+")[0]
    key = rows_key(record.benchmark, version, record.rows)
    return key if record.compared_set is None else relative_key(key, record.compared_set)


def _faults_of_repeats(record: Record) -> Iterator[str]:
    """Whether each repeat has its rows, its own seed, and weights if any has."""
    repeats, seeds = len(record.rows), record.seeds
    if not repeats or not all(record.rows):
        yield _at("rows", "a repeat has no rows; run the entry again")
    if len(seeds) != repeats:
        yield _at("seeds", f"there are {len(seeds)}, and rows of {repeats} repeats; run it again")
    if len(set(seeds)) < len(seeds):
        yield _at("seeds", "two repeats have the same seed; run it again")
    if len(record.weights) not in (0, repeats):
        yield _at("weights", f"they are of {len(record.weights)} repeats, not {repeats}")


def _faults_of_scores(record: Record) -> Iterator[str]:
    """What can be told from the scores' own fields."""
    names, ranking = (
        [score.name for score in record.scores],
        [s for s in record.scores if s.ranking],
    )
    if len(names) > MOST_SCORES:
        yield _at("scores", f"there are {len(names)}; at most {MOST_SCORES} are checked")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        yield _at("scores", f"{twice!r} is there twice")
    if len(ranking) != 1:
        yield _at("scores", f"{len(ranking)} of them rank entries, and exactly one must")
    for place, score in enumerate(record.scores):
        for name in ("value", "low", "high", "chance"):
            value = getattr(score, name)
            if not _lies_in(value, score.unit):
                yield _at(f"scores.{place}.{name}", f"{value} is no {NOUNS[score.unit]}")
    plan = record.intervals
    if not (0 < plan.level < 1 and 1 <= plan.resamples <= MOST_RESAMPLES and plan.seed >= 0):
        message = f"a level between 0 and 1, 1 to {MOST_RESAMPLES} resamples and a seed are needed"
        yield _at("intervals", message)


def _lies_in(value: Number, unit: str) -> bool:
    """Whether values of this unit can be so."""
    low, high = RANGES.get(unit, (-math.inf, math.inf))
    return value is None or low - SHARE <= value <= high + SHARE


def _faults_of_cases(
    scores: pa.Table, record: Record, known_cases: Collection[str] | None
) -> Iterator[str]:
    """Whether the cases are those of the record, and their values such as the scores can have."""
    cases = pc.unique(scores["case"]).to_pylist()
    if known_cases is not None:
        unknown = set(cases) - set(known_cases)
        if unknown:
            some = f"{len(unknown)} cases are none of the benchmark's, such as {min(unknown)!r}"
            yield _at("case", some, SCORES)
    repeats = scores["repeat"].to_numpy()
    places = name_places(scores["case"]).places
    for repeat in range(len(record.rows)):
        count = len(np.unique(places[repeats == repeat]))
        if count > record.cases:
            message = f"repeat {repeat} has {count} cases, and the record {record.cases}"
            yield _at("case", message, SCORES)
    for unit in RANGES:
        outside = _outside(scores, record, unit)
        if len(outside):
            yield _at("value", f"{outside[0]:g} is no {NOUNS[unit]}", SCORES)


def _outside(scores: pa.Table, record: Record, unit: str) -> np.ndarray:
    """Values of a unit's scores that it cannot have."""
    names, rows = name_places(scores["score"])
    own = np.isin(names, [score.name for score in record.scores if score.unit == unit])
    values, (low, high) = scores["value"].to_numpy()[own[rows]], RANGES[unit]
    return values[(values < low - SHARE) | (values > high + SHARE)]


def _faults_of_means(table: pa.Table, record: Record) -> Iterator[str]:
    """Whether the values are the means of what was scored: quick also where intervals are not."""
    names, rows = name_places(table["score"])
    values = table["value"].to_numpy()
    scored = ~np.isnan(values)
    sums = np.bincount(rows[scored], values[scored], len(names))
    counts = np.bincount(rows[scored], minlength=len(names))
    means = {
        name: (total / count if count else math.nan)
        for name, total, count in zip(names, sums, counts, strict=True)
    }
    for place, score in enumerate(record.scores):
        mean = means.get(score.name, math.nan)
        if not _is_near(mean, score.value, MEAN):
            yield _unlike(place, score, "value", mean)


def _unlike(place: int, score: ScoreRecord, name: str, number: float) -> str:
    """That a number of a score is another one than follows from its cases."""
    given, shown = getattr(score, name), "nothing" if math.isnan(number) else f"{number:.9g}"
    fault = f"of {score.name!r} is {given}, and {shown} follows from {SCORES}"
    return _at(f"scores.{place}.{name}", fault)


def _faults_of_values(table: pa.Table, record: Record) -> Iterator[str]:
    """Whether the record's scores are what follows from the cases."""
    by_score = list(zip(*case_scores(table, record), strict=True))
    plan = record.intervals
    too_much = _too_much([_sizes(of_repeats) for of_repeats in by_score], plan.resamples)
    if too_much:
        yield _at("intervals", too_much)
        return
    draws = Draws(Resampling(plan.level, plan.resamples, plan.seed))
    for place, (stated, of_repeats) in enumerate(zip(record.scores, by_score, strict=True)):
        follows = summarised(of_repeats, draws.resampling, draws)
        yield from _differences(place, stated, follows)


def _sizes(of_repeats: Sequence[CaseScores]) -> list[int]:
    """How many clusters each key of a score has."""
    keys = zip(*(scores.clusters or (scores.cases,) for scores in of_repeats), strict=True)
    return [len(set().union(*(of_repeat.tolist() for of_repeat in key))) for key in keys]


def _too_much(sizes: Sequence[Sequence[int]], resamples: int) -> str:
    """Why intervals are not drawn again, where that would take too long."""
    drawn = sum(size for _, size in {pair for of_score in sizes for pair in enumerate(of_score)})
    work = sum(max(of_score, default=0) for of_score in sizes)
    if drawn * resamples <= MOST_DRAWN and work * resamples <= MOST_WORK:
        return ""
    return f"{resamples} resamples of {work} clusters in all are more than is computed again"


def _differences(place: int, stated: ScoreRecord, follows: Score) -> Iterator[str]:
    """What of a score is not what follows from its cases."""
    for name, tolerance in TOLERANCES.items():
        number = getattr(follows, name)
        if not _is_near(number, getattr(stated, name), tolerance):
            yield _unlike(place, stated, name, number)
    for name in ("n", "n_unscored", "interval"):
        ours, theirs = getattr(follows, name), getattr(stated, name)
        if ours != theirs:
            fault = f"of {stated.name!r} is {theirs!r}, and {ours!r} follows from {SCORES}"
            yield _at(f"scores.{place}.{name}", fault)


def _is_near(ours: float, theirs: Number, tolerance: float) -> bool:
    if theirs is None or math.isnan(ours):
        return theirs is None and math.isnan(ours)
    return math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance)
