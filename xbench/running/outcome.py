"""What became of an entry, and the record that is made of it."""

import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import torch

from xbench.benchmark.assembly import Benchmark
from xbench.errors import RunError
from xbench.interfaces.artefact import Artefact, Artefacts
from xbench.interfaces.component import Tree, fingerprint
from xbench.interfaces.data.case import Case, case_places
from xbench.interfaces.protocol import CaseScores, Entry, Protocol, Rows
from xbench.interfaces.resampling import Resampling
from xbench.results.record import (
    CostRecord,
    DifferenceRecord,
    IntervalRecord,
    Record,
    ScoreRecord,
    number,
)
from xbench.results.statistics import Draws, Score, difference, scores_by_name, summarised
from xbench.running.provenance import git_state, package_versions, platform_name, python_version
from xbench.running.store import FACTS, Store

Scores = Mapping[str, Sequence[Sequence[CaseScores]]]
"""Per label, per repeat, the scores."""


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
        kept: dict[str, dict[str, Any]] = {}
        for table in self.tables:
            facts = (table.schema.metadata or {}).get(FACTS)
            if facts is not None:
                cost = json.loads(facts)
                kept |= cost.get("kept", {})  # several shards use a segment: it counts once
                yield cost
        yield from kept.values()


def judge(
    benchmark: Benchmark,
    rows: Mapping[str, Rows],
    keys: Mapping[str, str],
    components: Mapping[str, Tree],
) -> list[Record]:
    """A record for each label, from rows that were made elsewhere than in a run.

    `keys` are those under which the rows lie in the store, `components` what stands in a
    record in the place of a run's components: how the rows came about.
    """
    outcomes = {label: [_given(benchmark, label, keys[label], of)] for label, of in rows.items()}
    protocol = benchmark.protocol
    scores = {
        label: [of]
        for label, of in judged_together(protocol, protocol.summarise, rows, outcomes).items()
    }
    records = records_of(benchmark, outcomes, scores, Resampling(), None, "none")
    return [
        record.model_copy(update={"components": components[record.label], "seeds": []})
        for record in records
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
) -> list[Record]:
    """One record for each label, over its repeats."""
    draws = Draws(resampling)
    keys = {label: _key(benchmark, of_label) for label, of_label in outcomes.items()}
    compared = _compared_set(benchmark, outcomes, keys)
    if compared is not None:
        keys = {label: fingerprint([key, compared]) for label, key in keys.items()}
    every = {label: _all_rows(of_label) for label, of_label in outcomes.items()}
    notes = judged_together(benchmark.protocol, benchmark.protocol.notes, every, outcomes)
    return [
        Record(
            status="complete",
            label=label,
            key=keys[label],
            limited_to=limit,
            compared_set=compared,
            scores=_score_records(scores[label], resampling, draws),
            differences=list(_differences(label, scores, keys, resampling, draws)),
            intervals=IntervalRecord(**asdict(resampling)),
            notes=dict(notes[label]),
            device=device,
            **_provenance(benchmark, of_label),
        )
        for label, of_label in outcomes.items()
    ]


def _provenance(benchmark: Benchmark, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    entry = outcomes[0].entry
    artefacts = _distinct(outcomes)
    return {
        "benchmark": benchmark.name,
        "benchmark_version": _version(benchmark, entry),
        "role": entry.role,
        "protocol": benchmark.protocol.tree(),
        "components": _components(entry),
        "datasets": {role: images.tree() for role, images in entry.datasets.items()},
        "seeds": [outcome.entry.seed for outcome in outcomes],
        "cases": len(outcomes[0].cases),
        "artefacts": [_pointers(outcome) for outcome in outcomes],
        "artefact_facts": [{"key": a.key, **a.facts} for a in artefacts],
        "rows": [list(outcome.shards) for outcome in outcomes],
        "cost": _cost(outcomes, artefacts),
        "git": git_state(Path(__file__).parent),
        "packages": package_versions(),
        "python": python_version(),
        "platform": platform_name(),
        "threads": torch.get_num_threads(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _components(entry: Entry) -> dict[str, Tree]:
    """What the entry is made of; of an ensemble, what each member is made of."""
    if entry.members:
        return {f"member {member.label}": _components(member) for member in entry.members}
    return {
        **({} if entry.explainer is None else {"explainer": entry.explainer.tree()}),
        "classifier": entry.classifier.tree(),
        "loss": entry.loss.tree(),
        "training": entry.training.tree(),
    }


def _key(benchmark: Benchmark, outcomes: Sequence[Outcome]) -> str:
    """The hash of everything that the entry's scores depend on."""
    shards = [list(outcome.shards) for outcome in outcomes]
    tree: Tree = {"benchmark": benchmark.name, "version": benchmark.version, "shards": shards}
    return fingerprint(tree)


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


def _score_records(
    repeats: Sequence[Sequence[CaseScores]], resampling: Resampling, draws: Draws
) -> list[ScoreRecord]:
    named = [scores_by_name(scores) for scores in repeats]
    scores = [
        summarised([of_repeat[name] for of_repeat in named], resampling, draws) for name in named[0]
    ]
    return [ScoreRecord(**_numbers(_values(score))) for score in scores]


def _values(score: Score) -> dict[str, Any]:
    values = asdict(score)
    del values["interval"]
    return values


def _differences(
    label: str, scores: Scores, keys: Mapping[str, str], resampling: Resampling, draws: Draws
) -> Iterator[DifferenceRecord]:
    """The headline scores minus those of every other entry."""
    headlines = [score.name for score in scores[label][0] if score.headline]
    for other in scores:
        for name in headlines if other != label else ():
            ours = [scores_by_name(repeat)[name] for repeat in scores[label]]
            theirs = [
                scores_by_name(repeat)[name]
                for repeat in scores[other]
                if name in scores_by_name(repeat)
            ]
            if theirs:
                values = asdict(difference((label, other), ours, theirs, resampling, draws))
                del values["of"]
                yield DifferenceRecord(minus_key=keys[other], **_numbers(values))


def _numbers(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: number(value) if isinstance(value, float) else value for key, value in values.items()
    }


def _cost(outcomes: Sequence[Outcome], artefacts: Sequence[Artefact]) -> CostRecord:
    seconds: Counter[str] = Counter()
    passes: Counter[str] = Counter()
    peak = 0.0
    for artefact in artefacts:
        seconds[str(artefact.facts["kind"])] += artefact.facts["seconds"]
    for cost in (cost for outcome in outcomes for cost in outcome.costs()):
        seconds.update(cost["seconds"])
        passes.update(cost["passes"])
        peak = max(peak, cost["peak_memory_mib"])
    return CostRecord(seconds=dict(seconds), passes=dict(passes), peak_memory_mib=peak)


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
