"""Records: the result of one entry, complete and for ever.

A record that comes back from outside is untrusted: `read_record` checks it.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from xbench.errors import RecordError
from xbench.interfaces.component import fingerprint

SCHEMA = 2
Number = float | None
"""A number, or None where it cannot be computed."""


class Strict(BaseModel):
    """A part of a record: it has no other fields, and all of its numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ScoreRecord(Strict):
    """One score with its interval."""

    name: str
    direction: Literal["higher", "lower", "none"]
    headline: bool
    ranking: bool = False
    """Whether it is the one score that ranks entries."""
    value: Number
    low: Number
    high: Number
    interval: str = ""
    """How the interval was made."""
    n: int = Field(ge=0)
    n_unscored: int = Field(ge=0)
    deviation: Number
    unit: Literal["share", "points", "number"] = "share"
    chance: Number = None
    """What guessing is expected to score, where that is known."""

    @model_validator(mode="after")
    def _decides_by_a_direction(self) -> Self:
        if self.direction == "none" and (self.headline or self.ranking):
            raise ValueError(f"score {self.name!r} decides comparisons and has no direction")
        return self


class DifferenceRecord(Strict):
    """This entry's score minus another entry's."""

    score: str
    minus: str
    minus_key: str
    value: Number
    low: Number
    high: Number
    interval: str = ""
    n: int = Field(ge=0)
    paired: bool
    unit: Literal["share", "points", "number"] = "share"


class IntervalRecord(Strict):
    """How wide all intervals are, and what they were drawn with."""

    level: float
    resamples: int
    seed: int


class WeightsRecord(Strict):
    """Weights of a network that was evaluated."""

    name: str
    """Of the artefact that they are."""
    key: str
    state: str | None
    """A hash of all their tensors."""
    reference: bool = False
    """Whether they were given with the benchmark instead of made by the run."""


class ThreadsRecord(Strict):
    """On how many threads computations ran: trainings, and sums, depend on it.

    Usually one number; all of them where it was not the same throughout, none where unknown.
    """

    training: list[int] = []
    evaluation: list[int] = []


class ScoresFileRecord(Strict):
    """The file of the scores case by case."""

    path: str
    """In the store."""
    sha256: str


class CostRecord(Strict):
    """What it took to make the rows of all repeats, times aside."""

    passes: dict[str, int]
    """Images that went forward and backward through networks, by part."""
    peak_memory_mib: float


class TimesRecord(Strict):
    """All times: what two runs of the same never have in common."""

    finished: str
    seconds: dict[str, float] = {}
    """By stage, and by kind of artefact."""
    artefacts: dict[str, float] = {}
    """Seconds that each artefact took, by key."""


class ContrastRecord(Strict):
    """A difference that answers a question."""

    title: str
    of: str
    minus: str


class HeadingRecord(Strict):
    """What a run says of its benchmark when it shows its results."""

    title: str
    case: str
    """What a case is, in a word."""
    place: int = Field(ge=0)
    """Of the entry among the lines of the benchmark."""
    variants: list[str] = []
    remarks: list[str] = []
    contrasts: list[ContrastRecord] = []
    published: dict[str, Any] | None = None
    """The paper's figures that scores are put beside."""


class Record(Strict):
    """The result of one entry of a benchmark, over all its repeats."""

    record_schema: Literal[2] = 2
    status: Literal["complete", "awaiting-answers", "failed"]
    awaited: int = Field(0, ge=0)
    """How many answers of people are still to come."""
    failure: str | None = None
    """What went wrong, where something did."""
    source: Literal["run here", "reported"] = "run here"
    """Whether the numbers were computed by this software, or are those of a publication."""
    suite: str | None = None
    benchmark: str
    benchmark_version: str
    heading: HeadingRecord | None = None
    """None in records of before, which cannot be shown with all that their run said."""
    label: str
    role: Literal["entry", "floor", "ceiling"]
    grid: dict[str, str] = {}
    """Where the entry stands in the benchmark's grid, by axis."""
    key: str
    protocol: dict[str, Any]
    components: dict[str, Any]
    datasets: dict[str, Any]
    weights: list[list[WeightsRecord]] = []
    """Of each repeat."""
    searched: list[dict[str, Any]] = []
    """What was tried and chosen among before anything was scored."""
    seeds: list[int]
    cases: int = Field(ge=0)
    limited_to: int | None
    compared_set: str | None = None
    """Hash of the compared entries, where scores depend on which they are."""
    artefacts: list[dict[str, str]]
    artefact_facts: list[dict[str, Any]]
    rows: list[list[str]]
    kept: list[str] = []
    """Folders of the store where explanations and predictions were kept."""
    scores_file: ScoresFileRecord | None = None
    scores: list[ScoreRecord]
    differences: list[DifferenceRecord]
    intervals: IntervalRecord
    notes: dict[str, Any]
    cost: CostRecord
    times: TimesRecord
    git: dict[str, Any] | None
    packages: dict[str, str]
    python: str
    platform: str
    device: str
    threads: ThreadsRecord = ThreadsRecord()
    batch_sizes: list[int] = []
    """How many images were evaluated together; usually one number."""
    checksum: str | None = None
    """Of the file in a store that the record lies in."""

    @property
    def ranking(self) -> ScoreRecord | None:
        """The score that ranks entries, if there is one."""
        return next((score for score in self.scores if score.ranking), None)


def read_record(data: object, path: str = "") -> Record:
    """The record that was read from JSON, of this schema or the one before it.

    `RecordError` says what of it is wrong; `path` is where it was read.
    """
    from xbench.results.earlier_record import EarlierRecord, upgraded

    what = f"record {path}" if path else "the record"
    if not isinstance(data, Mapping):
        raise RecordError(f"{what} is no JSON object but {type(data).__name__}")
    schema = data.get("record_schema")
    if schema not in (1, SCHEMA):
        message = f"{what} is no record of schema 1 or {SCHEMA}: its record_schema is {schema!r}"
        later = isinstance(schema, int) and schema > SCHEMA
        raise RecordError(message + "; read it with a newer xbench" * later)
    try:
        if schema == SCHEMA:
            return Record.model_validate(data)
        return upgraded(EarlierRecord.model_validate(data))
    except ValidationError as error:
        raise RecordError(f"{what} is not valid: {_first_mistake(error)}") from error


def _first_mistake(error: ValidationError) -> str:
    mistakes = error.errors(include_url=False)
    field = ".".join(map(str, mistakes[0]["loc"]))
    more = f" ({len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return f"{field}: {mistakes[0]['msg']}{more}"


def read_record_file(path: Path) -> Record:
    """The record in a file; `RecordError` says why there is none."""
    try:
        return read_record(json.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise RecordError(f"record {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"record {path} is no JSON: {error}") from error


def timeless_facts(
    facts: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """What artefacts say of themselves but for the time they took, and that by key."""
    seconds = {
        str(of["key"]): of["seconds"] for of in facts if isinstance(of.get("seconds"), int | float)
    }
    return [{key: v for key, v in of.items() if key != "seconds"} for of in facts], seconds


def weights_of(pointers: dict[str, str], facts: list[dict[str, Any]]) -> list[WeightsRecord]:
    """Which of a repeat's artefacts are weights: those with a hash of their state."""
    states = {of.get("key"): of for of in facts if isinstance(of.get("state"), str)}
    return [
        WeightsRecord(
            name=name, key=key, state=states[key]["state"], reference="pinned" in states[key]
        )
        for name, key in pointers.items()
        if key in states
    ]


def rows_key(benchmark: str, version: str, rows: Sequence[Sequence[str]]) -> str:
    """The key of a record: of the keys of its rows, repeat by repeat."""
    shards = [list(of_repeat) for of_repeat in rows]
    return fingerprint({"benchmark": benchmark, "version": version, "shards": shards})


def relative_key(key: str, compared_set: str) -> str:
    """The key of a record whose scores depend on which entries were compared."""
    return fingerprint([key, compared_set])


def record_path(record: Record) -> str:
    """Where a record lies below the store's `records/`."""
    slug = "".join(c if c.isalnum() else "-" for c in record.label.lower())
    return f"{record.benchmark}/{'-'.join(filter(None, slug.split('-')))}-{record.key[:12]}.json"


def number(value: float) -> Number:
    """The value, or None where it is not finite."""
    return value if math.isfinite(value) else None
