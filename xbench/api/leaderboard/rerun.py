"""Running a submission's entry again on some of its cases, and comparing what it scores."""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from xbench.benchmark.assembly import Benchmark
from xbench.errors import SubmissionError
from xbench.results.board.submission import Submission
from xbench.results.numbers import spoken
from xbench.results.record import Record, ScoreRecord
from xbench.running.executors.local import LocalExecutor
from xbench.running.runner import RunOptions, run_benchmark
from xbench.running.storage.store import Store
from xbench.running.workplace import LocalWorkplace

MEAN = 1e-4
"""How far the mean of all of an entry's cases may lie from what another machine gives."""
CASE, MOST_OUTSIDE = 0.02, 0.01
"""How far the score of a case may, and which share of cases may lie farther."""
CaseKey = tuple[str, int]
"""The name of a case, and the repeat."""


class Agreement(NamedTuple):
    """What a score of the submission and one of the second run have in common."""

    score: str
    submitted: float
    """Like `again`, the mean over the cases that were run again."""
    again: float
    cases: int
    outside: int
    """Of so many cases the score differs by more than `CASE`."""
    text: str
    """Both means, in a sentence."""


class Rerun(NamedTuple):
    """An entry that was run again on some cases, and scored as it was submitted."""

    images: int
    """Cases of each repeat."""
    repeats: int
    seed: int
    """By which they were drawn."""
    scores: tuple[Agreement, ...]

    def __str__(self) -> str:
        drawn = f"run again on {self.images} drawn cases of each of {self.repeats} networks"
        return f"{drawn} (seed {self.seed}): {'; '.join(of.text for of in self.scores)}"


def rerun(
    submission: Submission,
    alone: Benchmark,
    asked: tuple[int, int],
    store: Store,
    workplace: LocalWorkplace,
) -> Rerun:
    """Run the entry on so many cases of each network, drawn by a seed; both are `asked`.

    `SubmissionError` where the headline scores are not those that were submitted, within what
    differs between machines.
    """
    count, seed = asked
    options = RunOptions(count, keep=False, draw=seed)
    record = run_benchmark(alone, store, LocalExecutor(), workplace, options)[0]
    check_weights(submission, record)
    table = store.scores(record.scores_file.path) if record.scores_file else None
    if table is None:
        raise SubmissionError(f"{record.label!r} was run again, and its scores cannot be read")
    headlines = [s for s in submission.record.scores if s.headline or s.ranking]
    agreements = tuple(_agreement(s, submission, table) for s in headlines)
    return Rerun(record.cases, len(record.rows), seed, agreements)


def check_weights(submission: Submission, again: Record) -> None:
    """Raise `SubmissionError` where networks were trained that are others than the record's."""
    stated, own = (
        [{of.name: of.state for of in repeat} for repeat in record.weights]
        for record in (submission.record, again)
    )
    if stated != own:
        raise SubmissionError(
            f"{submission.manifest.name!r} cannot be compared: its networks, trained here, are not "
            "those of the record, for trainings depend on the machine; only benchmarks with "
            "reference networks can be checked so. Leave --rerun and --fresh out"
        )


def _agreement(score: ScoreRecord, submission: Submission, table: pa.Table) -> Agreement:
    """How a score of the second run agrees; `SubmissionError` where it does not."""
    name = f"{submission.manifest.name!r}, run again,"
    ours, theirs = _values(table, score.name), _values(submission.scores, score.name)
    missing = sorted(case for case, _ in ours.keys() - theirs.keys())
    if missing:
        message = f"{name} has {len(missing)} cases that were not submitted, such as {missing[0]!r}"
        raise SubmissionError(f"{message}; submit all cases of the benchmark")
    both = np.array([(theirs[key], ours[key]) for key in sorted(ours)], float).reshape(-1, 2)
    differing = np.array(list(_outside(both)), bool)
    scored = both[~np.isnan(both).any(axis=1)]
    submitted, again = (float(of.mean()) if len(scored) else math.nan for of in scored.T)
    text = f"{score.name} {spoken(again, score.unit)}, submitted {spoken(submitted, score.unit)}"
    agreement = Agreement(score.name, submitted, again, len(both), int(differing.sum()), text)
    fault = _fault(agreement, len(theirs), score)
    if fault:
        raise SubmissionError(f"{name} does not score what was submitted: {text}; {fault}")
    return agreement


def _values(table: pa.Table, score: str) -> Mapping[CaseKey, float]:
    """A score case by case; of a case that was scored several times the mean."""
    of = table.select(["case", "repeat", "score", "value"]).to_pydict()
    sums: dict[CaseKey, list[float]] = {}
    for case, repeat, name, value in zip(*of.values(), strict=True):
        if name == score:
            sums.setdefault((case, repeat), []).append(math.nan if value is None else value)
    return {key: sum(values) / len(values) for key, values in sums.items()}


def _outside(both: np.ndarray) -> Iterator[bool]:
    """Of each case whether its two scores are farther apart than machines are."""
    for one, other in both:
        near = abs(one - other) <= CASE * max(1.0, abs(one))
        yield not (near or (math.isnan(one) and math.isnan(other)))


def _fault(of: Agreement, whole: int, score: ScoreRecord) -> str:
    """Why two runs do not agree; "" where they do.

    Cases differ independently, so the mean of a sample may differ by more than that of all.
    """
    allowed = math.ceil(MOST_OUTSIDE * of.cases)
    if of.outside > allowed:
        far = f"{CASE:g} of a score" if score.unit == "number" else f"{100 * CASE:g} points"
        return f"{of.outside} of {of.cases} cases differ by more than {far}, and {allowed} may"
    bound = MEAN * math.sqrt(max(1.0, whole / max(of.cases, 1))) * max(1.0, abs(of.submitted))
    if abs(of.again - of.submitted) > bound:
        return f"the means differ by more than {bound:.2g}"
    return ""
