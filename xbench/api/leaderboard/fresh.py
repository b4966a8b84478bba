"""New images: what an entry scores on as many others as it was submitted for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from xbench.api.leaderboard.rerun import check_weights
from xbench.benchmark.assembly import Benchmark
from xbench.errors import PluginError, SubmissionError
from xbench.interfaces.component import provider
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.interfaces.protocol import CaseScores
from xbench.interfaces.resampling import Resampling
from xbench.results.board.events import FreshCheck
from xbench.results.board.submission import Submission
from xbench.results.numbers import points, signed_interval, signed_text, spoken
from xbench.results.record import Record, ScoreRecord
from xbench.results.scores_file import case_scores
from xbench.results.statistics import difference
from xbench.running.executors.local import LocalExecutor
from xbench.running.runner import RunOptions, run_benchmark
from xbench.running.storage.store import Store
from xbench.running.workplace import LocalWorkplace

SEEN = ("train", "validation")
"""Roles of images that stay as they are."""


def with_fresh_images(benchmark: Benchmark, seed: int) -> Benchmark:
    """The benchmark on as many other test images; networks and training images stay.

    `SubmissionError` for a dataset that has no others.
    """
    sets = benchmark.datasets
    tested = dict.fromkeys(of.dataset for role, of in sets.items() if role not in SEEN)
    fresh = {dataset: _fresh(dataset, seed) for dataset in tested}
    changed: Mapping[str, ImageSet] = {
        role: of if role in SEEN else replace(of, dataset=fresh[of.dataset])
        for role, of in sets.items()
    }
    for role, of in changed.items():
        if role not in SEEN:
            _check_others(sets[role], of)
    return replace(benchmark, datasets=changed)


def _fresh(dataset: Dataset, seed: int) -> Dataset:
    fresh = dataset.fresh(seed)
    if fresh is None:
        raise SubmissionError(
            f"dataset {dataset.name!r} has no images that nobody has seen; leave --fresh out"
        )
    return fresh


def _check_others(public: ImageSet, fresh: ImageSet) -> None:
    """Raise `PluginError` unless the images are as many others, and trainings know none of them."""
    one, two = public.dataset, fresh.dataset
    kept = one.training_fingerprint() == two.training_fingerprint()
    if set(public.ids()) & set(fresh.ids()) or len(public.ids()) != len(fresh.ids()) or not kept:
        raise PluginError(
            f"dataset {one.name!r} of {provider(type(one)).name} gave no fresh images: they must "
            "be as many, have other ids and leave the training fingerprint as it is"
        )


def checked_on_fresh(
    submission: Submission, alone: Benchmark, seed: int, store: Store, workplace: LocalWorkplace
) -> FreshCheck:
    """What the entry scores on new images, and how much worse that is, with its interval.

    Public and new images are resampled each for themselves, by the record's own level and
    resamples. `SubmissionError` where it cannot be scored on either.
    """
    benchmark, ranking = with_fresh_images(alone, seed), submission.record.ranking
    options = RunOptions(keep=False)
    record = run_benchmark(benchmark, store, LocalExecutor(), workplace, options)[0]
    check_weights(submission, record)
    table = store.scores(record.scores_file.path) if record.scores_file else None
    if ranking is None or table is None:
        raise SubmissionError(f"{record.label!r} was run on new images, and has no scores there")
    on_both = (
        _of_score(case_scores(submission.scores, submission.record), ranking.name),
        _of_score(case_scores(table, record), ranking.name),
    )
    return _drop(on_both, submission.record, ranking, (seed, record.cases))


def _of_score(repeats: Sequence[Sequence[CaseScores]], name: str) -> list[CaseScores]:
    return [scores for of in repeats for scores in of if scores.name == name]


def _drop(
    on_both: tuple[list[CaseScores], list[CaseScores]],
    record: Record,
    ranking: ScoreRecord,
    drawn: tuple[int, int],
) -> FreshCheck:
    """How much worse the new images are than the public ones, `drawn` by a seed, so many."""
    public, fresh = on_both
    better, worse = (public, fresh) if ranking.direction == "higher" else (fresh, public)
    plan = Resampling(**record.intervals.model_dump())
    drop = difference(("better", "worse"), better, worse, plan, apart=True)
    submitted = ranking.value
    if submitted is None or not math.isfinite(drop.value + drop.low + drop.high):
        message = f"{record.label!r} has no {ranking.name}, in the submission or on new images"
        raise SubmissionError(f"{message}; leave --fresh out")
    sign = -1 if ranking.direction == "higher" else 1
    return FreshCheck(
        seed=drawn[0],
        cases=drawn[1],
        score=ranking.name,
        submitted=submitted,
        fresh=submitted + sign * drop.value,
        drop=drop.value,
        low=drop.low,
        high=drop.high,
    )


def drop_sentences(name: str, check: FreshCheck, score: ScoreRecord) -> str:
    """What a check on new images says, in sentences."""
    unit = score.unit
    ends = signed_interval(check.low, check.high, unit)
    drop = points(f"{signed_text(check.drop, unit)} {ends}", unit)
    scored = f"{spoken(check.fresh, unit)}, and {spoken(check.submitted, unit)} on those submitted"
    first = f"On {check.cases} new images (seed {check.seed}) {name!r} scores {scored}: "
    return f"{first}a drop in {check.score} of {drop}. {_meaning(check)}"


def _meaning(check: FreshCheck) -> str:
    if check.low > 0:
        return "It is worse on images that nobody had seen."
    if check.high < 0:
        return "It is better on images that nobody had seen."
    return "On images that nobody had seen it is not distinguishable from what was submitted."
