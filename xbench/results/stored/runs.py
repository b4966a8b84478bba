"""Stored runs: which records of a store belong together, and which of them were asked for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from typing import Any, NamedTuple

from xbench.errors import ParameterError, RecordError
from xbench.interfaces.component import Tree, fingerprint
from xbench.results.record import Record, ScoreRecord

SHORT = 8
"""Digits of a key by which a run is called."""
SHORTEST = 4
TOGETHER = timedelta(minutes=1)
"""Records that name no others belong together if they are alike and were finished so near."""
_AGE = re.compile(r"(\d+) *([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}


class StoredRecord(NamedTuple):
    """A record, and where it lies below its store's `records/`."""

    path: str
    record: Record


class StoredRun(NamedTuple):
    """The records that one run wrote, in the order of its benchmark."""

    stored: tuple[StoredRecord, ...]
    finished: str
    """When the run was finished; records that a later run wrote again do not count."""
    missing: int = 0
    """How many more there were, by what these say of differences to them."""

    @property
    def records(self) -> list[Record]:
        """The records alone."""
        return [of.record for of in self.stored]

    @property
    def id(self) -> str:
        """The first digits of the key of its first entry."""
        entries = [record for record in self.records if record.role == "entry"]
        return (entries or self.records)[0].key[:SHORT]


@dataclass(frozen=True)
class Wanted:
    """Which runs are asked for; names may hold `*` and `?`, and case does not matter."""

    benchmark: str | None = None
    dataset: str | None = None
    explainer: str | None = None
    classifier: str | None = None
    entry: str | None = None
    since: datetime | None = None

    def of_runs(self, runs: Iterable[StoredRun]) -> list[StoredRun]:
        """The runs with a record that fits."""
        return [run for run in runs if self._is_new(run) and any(map(self.fits, run.records))]

    def fits(self, record: Record) -> bool:
        """Whether a record is of what is asked for, time aside."""
        return (
            _alike(self.benchmark, [record.benchmark])
            and _alike(self.dataset, [dataset_name(record)])
            and _alike(self.entry, [record.label], within=True)
            and _alike(self.explainer, component_names(record.components, "explainer"))
            and _alike(self.classifier, component_names(record.components, "classifier"))
        )

    def _is_new(self, run: StoredRun) -> bool:
        return self.since is None or moment(run.finished) >= self.since


def stored_runs(stored: Sequence[StoredRecord]) -> list[StoredRun]:
    """The runs that wrote these records, newest first.

    A record names the keys of those that it was compared with. A floor's is written again by
    each run that has it, with the same scores: it belongs to all of them.
    """
    by_key = {of.record.key: of for of in stored}
    entries = [of for of in stored if of.record.role == "entry"] or list(stored)
    groups = dict.fromkeys(_group(of.record) for of in entries)
    named = frozenset().union(*groups)
    groups |= dict.fromkeys(_group(of.record) for of in stored if of.record.key not in named)
    alone = [by_key[next(iter(keys))] for keys in groups if len(keys) == 1]
    runs = [_run(keys, by_key) for keys in groups if len(keys) > 1]
    runs += [_run(frozenset(r.record.key for r in of), by_key) for of in _alike_and_near(alone)]
    return sorted(runs, key=lambda run: (run.finished, run.id), reverse=True)


def run_called(name: str, runs: Sequence[StoredRun]) -> StoredRun:
    """The run with this number in the list, or of a record whose key begins so."""
    if name.isdigit() and len(name) < SHORTEST and 1 <= int(name) <= len(runs):
        return runs[int(name) - 1]
    called = [run for run in runs if any(r.key.startswith(name.lower()) for r in run.records)]
    if len(name) < SHORTEST or not called:
        raise RecordError(f"no run is called {name!r} here; `xbench results` lists them")
    own = [run for run in called if run.id.startswith(name.lower()[:SHORT])]
    return (own or called)[0]


def moment(text: str) -> datetime:
    """The time of an ISO text; UTC where no zone is said."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def time_text(text: str) -> str:
    """An ISO time to the minute, in the zone of this machine."""
    return moment(text).astimezone().strftime("%Y-%m-%d %H:%M")


def since(text: str, now: datetime) -> datetime:
    """The time that `2026-05-01`, `2026-05-01T12:00`, `12h`, `7d` or `2w` says."""
    if age := _AGE.fullmatch(text.strip()):
        return now - timedelta(hours=int(age[1]) * _HOURS[age[2]])
    try:
        return moment(text)
    except ValueError as error:
        message = f"--since {text!r} is no time; write --since 2026-05-01, or --since 7d"
        raise ParameterError(message) from error


def dataset_name(record: Record) -> str:
    """The name of the dataset that was tested on."""
    tree: Tree = record.datasets.get("test") or next(iter(record.datasets.values()), {})
    return str(tree.get("dataset", {}).get("name", "?"))


def component_names(tree: Any, kind: str) -> list[str]:
    """Names of all components of a kind in a tree, with their first parameter where it is text."""
    if isinstance(tree, list):
        return [name for item in tree for name in component_names(item, kind)]
    if not isinstance(tree, Mapping):
        return []
    below = [name for item in tree.values() for name in component_names(item, kind)]
    if tree.get("kind") != kind or "name" not in tree:
        return below
    first = next(iter(tree.get("parameters", {}).values()), None)
    argument = [first, f"{tree['name']}:{first}"] if isinstance(first, str) and first else []
    return [tree["name"], *argument, *below]


def leading_score(record: Record) -> ScoreRecord | None:
    """The score that ranks, else the first that decides comparisons, else the first."""
    headlines = [score for score in record.scores if score.headline]
    return record.ranking or next(iter(headlines or record.scores), None)


def _group(record: Record) -> frozenset[str]:
    return frozenset({record.key, *(difference.minus_key for difference in record.differences)})


def _run(keys: frozenset[str], by_key: Mapping[str, StoredRecord]) -> StoredRun:
    here = [by_key[key] for key in keys if key in by_key]
    own = [of for of in here if _group(of.record) == keys] or here
    finished = max(of.record.times.finished for of in own)
    stored = [of._replace(record=_among(of.record, keys)) for of in _ordered(here)]
    return StoredRun(tuple(stored), finished, len(keys) - len(here))


def _among(record: Record, keys: frozenset[str]) -> Record:
    """The record without differences to others than these, which another run had beside it."""
    differences = [of for of in record.differences if of.minus_key in keys]
    return record.model_copy(update={"differences": differences})


def _ordered(stored: Sequence[StoredRecord]) -> list[StoredRecord]:
    """In the order of the benchmark; of records of before, entries first."""
    named: dict[str, int] = {}
    for of in stored:
        for difference in of.record.differences:
            named.setdefault(difference.minus_key, len(named))
    return sorted(stored, key=lambda of: _place(of.record, named))


def _place(record: Record, named: Mapping[str, int]) -> tuple[Any, ...]:
    role = ("entry", "ceiling", "floor").index(record.role)
    if record.heading is not None:
        return (record.heading.place, role, record.label)
    return (role, named.get(record.key, 0), record.label)


def _alike_and_near(stored: Sequence[StoredRecord]) -> list[list[StoredRecord]]:
    """Records that name no others, put together where they are of one benchmark and moment."""
    runs: list[list[StoredRecord]] = []
    open_: dict[str, list[StoredRecord]] = {}
    for of in sorted(stored, key=lambda of: of.record.times.finished):
        print_, time = _fingerprint(of.record), moment(of.record.times.finished)
        run = open_.get(print_)
        near = run and time - moment(run[-1].record.times.finished) <= TOGETHER
        if run is None or not near or of.record.label in {one.record.label for one in run}:
            run = open_[print_] = []
            runs.append(run)
        run.append(of)
    return runs


def _fingerprint(record: Record) -> str:
    """Of all that the records of one run have in common."""
    names = ("suite", "benchmark", "benchmark_version", "protocol", "datasets", "seeds")
    return fingerprint(record.model_dump(include={*names, "limited_to", "compared_set", "git"}))


def _alike(pattern: str | None, names: Sequence[str], *, within: bool = False) -> bool:
    if pattern is None:
        return True
    asked = f"*{pattern.lower()}*" if within else pattern.lower()
    return any(fnmatch(name.lower(), asked) for name in names)
