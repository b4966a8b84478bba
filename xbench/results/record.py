"""Records: the result of one entry, complete and for ever.

A record that comes back from outside is untrusted: `Record.model_validate` checks it.
"""

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = 1
Number = float | None
"""A number, or None where it cannot be computed."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScoreRecord(_Strict):
    """One score with its interval."""

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
    """What guessing is expected to score, where that is known."""


class DifferenceRecord(_Strict):
    """This entry's score minus another entry's."""

    score: str
    minus: str
    minus_key: str
    value: Number
    low: Number
    high: Number
    n: int = Field(ge=0)
    paired: bool
    unit: Literal["share", "number"] = "share"


class CostRecord(_Strict):
    """What it cost to make the rows and the artefacts of all repeats."""

    seconds: dict[str, float]
    passes: dict[str, int]
    peak_memory_mib: float


class IntervalRecord(_Strict):
    """How intervals were made."""

    method: Literal["percentile bootstrap over cases"] = "percentile bootstrap over cases"
    level: float
    resamples: int
    seed: int


class Record(_Strict):
    """The result of one entry of a benchmark, over all its repeats."""

    record_schema: Literal[1] = 1
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
    """Hash of the compared entries, where scores depend on which they are."""
    artefacts: list[dict[str, str]]
    artefact_facts: list[dict[str, Any]]
    rows: list[list[str]]
    scores: list[ScoreRecord]
    differences: list[DifferenceRecord]
    intervals: IntervalRecord
    notes: dict[str, Any]
    cost: CostRecord
    git: dict[str, Any] | None
    packages: dict[str, str]
    python: str
    platform: str
    device: str
    threads: int | None = None
    """How many threads a computation on the CPU had: a training depends on it."""
    finished: str
    checksum: str | None = None
    """Of the file in a store that the record lies in."""


def number(value: float) -> Number:
    """The value, or None where it is not finite."""
    return value if math.isfinite(value) else None
