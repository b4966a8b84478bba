"""Records of schema 1, which stay readable."""

from typing import Any, Literal

from pydantic import Field

from xbench.results.record import (
    CostRecord,
    DifferenceRecord,
    IntervalRecord,
    Number,
    Record,
    ScoreRecord,
    Strict,
    ThreadsRecord,
    TimesRecord,
    timeless_facts,
    weights_of,
)


class EarlierScore(Strict):
    """One score of schema 1."""

    name: str
    direction: Literal["higher", "lower"]
    headline: bool
    value: Number
    low: Number
    high: Number
    n: int = Field(ge=0)
    n_unscored: int = Field(ge=0)
    deviation: Number
    unit: Literal["share", "number"] = "share"
    chance: Number = None


class EarlierDifference(Strict):
    """One difference of schema 1."""

    score: str
    minus: str
    minus_key: str
    value: Number
    low: Number
    high: Number
    n: int = Field(ge=0)
    paired: bool
    unit: Literal["share", "number"] = "share"


class EarlierCost(Strict):
    """Costs of schema 1."""

    seconds: dict[str, float]
    passes: dict[str, int]
    peak_memory_mib: float


class EarlierIntervals(Strict):
    """How intervals of schema 1 were made."""

    method: str = "percentile bootstrap over cases"
    level: float
    resamples: int
    seed: int


class EarlierRecord(Strict):
    """A record of schema 1."""

    record_schema: Literal[1]
    status: Literal["complete", "awaiting-answers", "failed"]
    benchmark: str
    benchmark_version: str
    label: str
    role: Literal["entry", "floor", "ceiling"]
    key: str
    protocol: dict[str, Any]
    components: dict[str, Any]
    datasets: dict[str, Any]
    seeds: list[int]
    cases: int = Field(ge=0)
    limited_to: int | None
    compared_set: str | None = None
    artefacts: list[dict[str, str]]
    artefact_facts: list[dict[str, Any]]
    rows: list[list[str]]
    scores: list[EarlierScore]
    differences: list[EarlierDifference]
    intervals: EarlierIntervals
    notes: dict[str, Any]
    cost: EarlierCost
    git: dict[str, Any] | None
    packages: dict[str, str]
    python: str
    platform: str
    device: str
    threads: int | None = None
    finished: str
    checksum: str | None = None


MOVED = ("record_schema", "scores", "differences", "intervals", "cost", "threads", "finished")
"""What is said in another form since."""


def upgraded(earlier: EarlierRecord) -> Record:
    """The same in today's schema; what it did not say is unknown."""
    kept = {name: value for name, value in earlier if name not in MOVED}
    intervals = earlier.intervals
    facts, seconds = timeless_facts(earlier.artefact_facts)
    cost = earlier.cost
    return Record(
        **{**kept, "artefact_facts": facts},
        scores=_scores(earlier),
        differences=[
            DifferenceRecord(interval=intervals.method, **one.model_dump())
            for one in earlier.differences
        ],
        intervals=IntervalRecord(**intervals.model_dump(exclude={"method"})),
        weights=[weights_of(pointers, facts) for pointers in earlier.artefacts],
        cost=CostRecord(passes=cost.passes, peak_memory_mib=cost.peak_memory_mib),
        times=TimesRecord(finished=earlier.finished, seconds=cost.seconds, artefacts=seconds),
        threads=ThreadsRecord(evaluation=[] if earlier.threads is None else [earlier.threads]),
    )


def _scores(earlier: EarlierRecord) -> list[ScoreRecord]:
    ranking = next((score for score in earlier.scores if score.headline), None)
    method = earlier.intervals.method
    return [
        ScoreRecord(ranking=score is ranking, interval=method, **score.model_dump())
        for score in earlier.scores
    ]
