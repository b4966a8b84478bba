"""What became of an entry, and the record that is made of it."""

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa
import torch

from xbench.benchmark.assembly import Benchmark
from xbench.errors import RunError
from xbench.files.seals import sealed_table
from xbench.interfaces.artefact import Artefact, Artefacts
from xbench.interfaces.component import Tree, fingerprint
from xbench.interfaces.data.case import Case, case_places
from xbench.interfaces.protocol import CaseScores, Entry, Protocol, Rows
from xbench.interfaces.resampling import Resampling
from xbench.results.record import (
    CostRecord,
    IntervalRecord,
    Record,
    ScoresFileRecord,
    ThreadsRecord,
    TimesRecord,
    record_path,
    relative_key,
    rows_key,
    timeless_facts,
    weights_of,
)
from xbench.results.score_records import Scores, difference_records, score_records
from xbench.results.scores_file import scores_table
from xbench.results.statistics import Draws
from xbench.results.stored.rebuilt import heading_record
from xbench.running.provenance import git_state, package_versions, platform_name, python_version
from xbench.running.storage.store import FACTS, Store


@dataclass(frozen=True, eq=False)
class Outcome:
    """Everything made of one entry in one repeat."""

    entry: Entry
    cases: tuple[Case, ...]
    artefacts: Artefacts
    """Their keys and facts; tensors would fill the memory of a run of many networks."""
    shards: tuple[str, ...]
    tables: tuple[Rows, ...]

    @functools.cached_property
    def rows(self) -> Rows:
        """The rows of all shards."""
        return joined_rows(self.tables)

    def costs(self) -> Iterator[dict[str, Any]]:
        """What each shard cost, and what was kept and used; nothing for rows made elsewhere."""
        yield from self._shard_costs()
        yield from self._segments().values()

    def kept(self) -> Iterator[str]:
        """The folders of the store where what it used of explanations and predictions is kept."""
        yield from (path.rpartition("/")[0] for path in self._segments())

    def _shard_costs(self) -> Iterator[dict[str, Any]]:
        for table in self.tables:
            facts = (table.schema.metadata or {}).get(FACTS)
            if facts is not None:
                yield json.loads(facts)

    def _segments(self) -> dict[str, dict[str, Any]]:
        """The segments that it used, and those that these build on, by path: each counts once."""
        found: dict[str, dict[str, Any]] = {}
        for cost in self._shard_costs():
            found |= cost.get("kept", {})
        for segment in list(found.values()):
            found |= segment.get("given", {})
        return found


class Result(NamedTuple):
    """What is stored of an entry that was scored."""

    record: Record
    scores: bytes
    """The file of its scores case by case."""


def judge(
    benchmark: Benchmark,
    rows: Mapping[str, Rows],
    keys: Mapping[str, str],
    components: Mapping[str, Tree],
) -> list[Result]:
    """The record of each label, from rows that were made elsewhere than in a run.

    `keys` are those under which the rows lie in the store, `components` what stands in a
    record in the place of a run's components: how the rows came about.
    """
    outcomes = {label: [_given(benchmark, label, keys[label], of)] for label, of in rows.items()}
    protocol = benchmark.protocol
    scores = {
        label: [of]
        for label, of in judged_together(protocol, protocol.summarise, rows, outcomes).items()
    }
    results = records_of(benchmark, outcomes, scores, Resampling(), None, "none")
    return [
        Result(record.model_copy(update={"components": components[record.label], "seeds": []}), of)
        for record, of in results
    ]


def _given(benchmark: Benchmark, label: str, key: str, rows: Rows) -> Outcome:
    """Rows from elsewhere, as if they were of an entry of the benchmark."""
    entry = Entry(
        label=label,
        role="entry",
        explainer=None,
        classifier=benchmark.classifier,
        loss=benchmark.loss,
        training=benchmark.training,
        datasets=benchmark.datasets,
        repeat=0,
        seed=0,
    )
    cases = tuple(map(Case.parse, case_places(rows).names))
    return Outcome(entry, cases, {}, (key,), (rows,))


def records_of(
    benchmark: Benchmark,
    outcomes: Mapping[str, Sequence[Outcome]],
    scores: Scores,
    resampling: Resampling,
    limit: int | None,
    device: str,
) -> list[Result]:
    """One record for each label, over its repeats, with its scores case by case."""
    draws = Draws(resampling)
    keys = {label: _key(benchmark, of_label) for label, of_label in outcomes.items()}
    compared = _compared_set(benchmark, outcomes, keys)
    if compared is not None:
        keys = {label: relative_key(key, compared) for label, key in keys.items()}
    every = {label: _all_rows(of_label) for label, of_label in outcomes.items()}
    notes = judged_together(benchmark.protocol, benchmark.protocol.notes, every, outcomes)
    return [
        _result(
            scores[label],
            label=label,
            key=keys[label],
            limited_to=limit,
            compared_set=compared,
            scores=score_records(scores[label], draws),
            differences=list(difference_records(label, scores, keys, draws)),
            intervals=IntervalRecord(**asdict(resampling)),
            notes=dict(notes[label]),
            device=device,
            **_provenance(benchmark, of_label),
        )
        for label, of_label in outcomes.items()
    ]


def _result(repeats: Sequence[Sequence[CaseScores]], **fields: Any) -> Result:
    """A record with the file of its scores case by case."""
    path = f"scores/{fields['key']}.parquet"
    data = sealed_table(path, scores_table(repeats))
    file = ScoresFileRecord(path=path, sha256=hashlib.sha256(data).hexdigest())
    return Result(Record(scores_file=file, **fields), data)


def put_results(store: Store, results: Sequence[Result]) -> list[Record]:
    """Write the scores of each entry, and then its record; returns the records."""
    for record, scores in results:
        if record.scores_file is not None:
            store.put_scores(record.scores_file.path, scores)
        store.put_record(record_path(record), record.model_dump())
    return [result.record for result in results]


def _provenance(benchmark: Benchmark, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    entry, artefacts = outcomes[0].entry, _distinct(outcomes)
    facts, _ = timeless_facts([{"key": a.key, **a.facts} for a in artefacts])
    awaited = max(benchmark.protocol.awaited(outcome.entry) for outcome in outcomes)
    return {
        "status": "awaiting-answers" if awaited else "complete",
        "awaited": awaited,
        "suite": benchmark.suite or None,
        "benchmark": benchmark.name,
        "benchmark_version": _version(benchmark, entry),
        "heading": heading_record(benchmark, entry.label),
        "role": entry.role,
        "grid": dict(entry.cell),
        "protocol": benchmark.protocol.tree(),
        "components": components_of(entry),
        "datasets": {role: images.tree() for role, images in entry.datasets.items()},
        "seeds": [outcome.entry.seed for outcome in outcomes],
        "cases": len(outcomes[0].cases),
        "artefacts": [_pointers(outcome) for outcome in outcomes],
        "artefact_facts": facts,
        "weights": [weights_of(_pointers(outcome), facts) for outcome in outcomes],
        "rows": [list(outcome.shards) for outcome in outcomes],
        "kept": sorted({folder for outcome in outcomes for folder in outcome.kept()}),
        "cost": _cost(outcomes),
        "times": _times(outcomes, artefacts),
        "git": _checkout(),
        "packages": package_versions(),
        "python": python_version(),
        "platform": platform_name(),
        "threads": _threads(outcomes, artefacts),
        "batch_sizes": sorted(_told(outcomes, "batch_size")),
    }


@functools.cache
def _checkout() -> dict[str, Any] | None:
    """The state of our checkout when this process first asked: the code that it runs is older."""
    return git_state(Path(__file__).parent)


def components_of(entry: Entry) -> dict[str, Tree]:
    """What was compared, and trained with what; of an ensemble, that of each member."""
    if entry.members:
        return {f"member {member.label}": components_of(member) for member in entry.members}
    parts = {"explainer": entry.explainer, "companion": entry.companion}
    return {
        **{name: part.tree() for name, part in parts.items() if part is not None},
        "classifier": entry.classifier.tree(),
        "loss": entry.loss.tree(),
        "training": entry.training.tree(),
    }


def _key(benchmark: Benchmark, outcomes: Sequence[Outcome]) -> str:
    """The hash of everything that the entry's scores depend on."""
    return rows_key(benchmark.name, benchmark.version, [outcome.shards for outcome in outcomes])


Judged = TypeVar("Judged")


def judged_together(
    protocol: Protocol,
    judge: Callable[[Mapping[str, Rows]], Mapping[str, Judged]],
    rows: Mapping[str, Rows],
    outcomes: Mapping[str, Sequence[Outcome]],
) -> Mapping[str, Judged]:
    """What `judge`, a method of the protocol, makes of the rows of all labels.

    Where scores are relative, the entries are judged among themselves, and each floor and
    ceiling beside them: it has no part in what the entries get.
    """
    if not protocol.relative:
        return judge(rows)
    roles = {label: of_label[0].entry.role for label, of_label in outcomes.items()}
    entries = {label: table for label, table in rows.items() if roles[label] == "entry"}
    among = judge(entries)
    return {
        label: among[label] if label in among else judge({**entries, label: table})[label]
        for label, table in rows.items()
    }


def _compared_set(
    benchmark: Benchmark, outcomes: Mapping[str, Sequence[Outcome]], keys: Mapping[str, str]
) -> str | None:
    """The hash of the entries that are compared, where scores depend on which they are."""
    if not benchmark.protocol.relative:
        return None
    entries = [key for label, key in keys.items() if outcomes[label][0].entry.role == "entry"]
    return fingerprint(sorted(entries))


def _version(benchmark: Benchmark, entry: Entry) -> str:
    edition = benchmark.protocol.edition(entry)
    return f"{benchmark.version}+{edition}" if edition else benchmark.version


def _all_rows(outcomes: Sequence[Outcome]) -> Rows:
    return joined_rows([outcome.rows for outcome in outcomes])


def joined_rows(tables: Sequence[Rows]) -> Rows:
    """The rows of several tables; what they cost is left out."""
    bare = [table.replace_schema_metadata(None) for table in tables]
    return pa.concat_tables(bare).unify_dictionaries()


def _distinct(outcomes: Sequence[Outcome]) -> list[Artefact]:
    artefacts = [artefact for outcome in outcomes for artefact in outcome.artefacts.values()]
    return list({artefact.key: artefact for artefact in artefacts}.values())


def _pointers(outcome: Outcome) -> dict[str, str]:
    return {name: artefact.key for name, artefact in outcome.artefacts.items()}


def _cost(outcomes: Sequence[Outcome]) -> CostRecord:
    passes: Counter[str] = Counter()
    peak = 0.0
    for cost in (cost for outcome in outcomes for cost in outcome.costs()):
        passes.update(cost["passes"])
        peak = max(peak, cost["peak_memory_mib"])
    return CostRecord(passes=dict(passes), peak_memory_mib=peak)


def _times(outcomes: Sequence[Outcome], artefacts: Sequence[Artefact]) -> TimesRecord:
    seconds: Counter[str] = Counter()
    for artefact in artefacts:
        seconds[str(artefact.facts["kind"])] += artefact.facts["seconds"]
    for cost in (cost for outcome in outcomes for cost in outcome.costs()):
        seconds.update(cost["seconds"])
    return TimesRecord(
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=dict(seconds),
        artefacts={artefact.key: artefact.facts["seconds"] for artefact in artefacts},
    )


def _threads(outcomes: Sequence[Outcome], artefacts: Sequence[Artefact]) -> ThreadsRecord:
    """Those of trainings where artefacts tell, and of evaluations where rows do."""
    trained = {a.facts["threads"] for a in artefacts if {"state", "threads"} <= a.facts.keys()}
    evaluated = _told(outcomes, "threads") or {torch.get_num_threads()}
    return ThreadsRecord(training=sorted(trained), evaluation=sorted(evaluated))


def _told(outcomes: Sequence[Outcome], name: str) -> set[int]:
    """What shards say of how they were evaluated."""
    costs = (cost for outcome in outcomes for cost in outcome.costs())
    return {cost[name] for cost in costs if name in cost}


def record_rows(record: Record, store: Store) -> Iterator[Rows]:
    """The rows of each repeat of a record, from the store that it was made in."""
    for keys in record.rows:
        tables = [store.rows(key) for key in keys]
        if any(table is None for table in tables):
            raise RunError(
                f"rows of {record.label!r} are no longer in store {store.url!r}; "
                "run the same command again"
            )
        yield joined_rows([table for table in tables if table is not None])
