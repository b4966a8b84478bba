"""The one loop: from a benchmark to records. The only place that sees the whole chain."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from xbench.benchmark.assembly import Benchmark
from xbench.errors import UsageError
from xbench.interfaces.artefact import Artefact, Artefacts
from xbench.interfaces.component import Tree, content_key
from xbench.interfaces.executor import Executor
from xbench.interfaces.protocol import CaseScores, Entry, Protocol, Rows
from xbench.interfaces.recipe import Recipe
from xbench.interfaces.resampling import Resampling
from xbench.networks.network import cut_classifier
from xbench.results.record import Record
from xbench.running.outcome import FACTS, Outcome, judged_together, records_of
from xbench.running.store import TREE, Store
from xbench.running.versions import made_again
from xbench.running.workplace import LocalWorkplace
from xbench.training.recipe import plan_of, start_module


class Shard(NamedTuple):
    """A batch of cases of one entry and repeat, with all that is needed to evaluate it."""

    key: str
    protocol: Protocol
    entry: Entry
    cases: tuple[int, ...]
    artefacts: Artefacts
    tree: Tree
    """What the key is of."""


def run(
    benchmark: Benchmark,
    store: Store,
    executor: Executor,
    workplace: LocalWorkplace,
    *,
    limit: int | None = None,
    resampling: Resampling | None = None,
) -> list[Record]:
    """Run a benchmark and store one record for each of its entries.

    What the store already holds is not made again, so a run that was killed goes on where
    it was and yields the record of an uninterrupted one, times aside.
    """
    check_benchmark(benchmark)
    store.check_writable()
    provider = Provider(store, workplace)
    outcomes: dict[str, list[Outcome]] = {}
    for line in benchmark.lines:
        for entry in benchmark.entries(line):
            outcome = _outcome(benchmark, entry, provider, executor, limit)
            outcomes.setdefault(line.label, []).append(outcome)
    scores = _scores(benchmark, outcomes)
    plan = resampling or Resampling()
    records = records_of(benchmark, outcomes, scores, plan, limit, str(workplace.device))
    for record in records:
        store.put_record(record_path(record), record.model_dump())
    return records


def check_benchmark(benchmark: Benchmark) -> None:
    """Raise what is wrong with datasets, weights or the cut before anything is made."""
    for dataset in dict.fromkeys(images.dataset for images in benchmark.datasets.values()):
        dataset.check()
    for images in benchmark.datasets.values():
        if not images.ids():
            raise UsageError(f"split {images.split!r} of dataset {images.dataset.name!r} is empty")
    for loss in dict.fromkeys(line.loss for line in benchmark.lines):
        loss.check(benchmark.datasets["train"])
    plans = (plan_of(next(benchmark.entries(line))) for line in benchmark.lines)
    for plan in {plan.classifier: plan for plan in plans}.values():
        cut_classifier(plan.classifier, start_module(plan), plan.classes)


def record_path(record: Record) -> str:
    """Where a record lies below the store's `records/`."""
    slug = "".join(c if c.isalnum() else "-" for c in record.label.lower())
    return f"{record.benchmark}/{'-'.join(filter(None, slug.split('-')))}-{record.key[:12]}.json"


class Provider:
    """Gives artefacts: from memory, from the store, or made now from their recipes."""

    def __init__(self, store: Store, workplace: LocalWorkplace) -> None:
        self.store = store
        self.workplace = workplace
        store.files.say = self.say_once
        self._made: dict[str, Artefact] = {}
        self._said: set[str] = set()

    def say_once(self, line: str) -> None:
        """Say a line, unless there is none or it was said."""
        if line and line not in self._said:
            self.workplace.progress.say(line)
            self._said.add(line)

    def release(self, but: Mapping[str, Recipe]) -> None:
        """Forget all artefacts but those of these recipes; the store gives them again."""
        kept = {recipe.key for recipe in but.values()}
        self._made = {key: made for key, made in self._made.items() if key in kept}

    def all(self, recipes: Mapping[str, Recipe]) -> dict[str, Artefact]:
        """The artefacts of named recipes, by the same names."""
        return {name: self.one(recipe) for name, recipe in recipes.items()}

    def one(self, recipe: Recipe) -> Artefact:
        """The artefact of one recipe."""
        key = recipe.key
        if key not in self._made:
            stored = self.store.artefact(recipe.kind, key)
            self._made[key] = self._make(recipe, key) if stored is None else stored
        return self._made[key]

    def _make(self, recipe: Recipe, key: str) -> Artefact:
        needs, tree = self.all(recipe.needs()), recipe.tree()
        self._say_of_others(recipe, key, tree)
        before = self.workplace.seconds["build"]
        with self.workplace.stage("build"):
            built = recipe.build(needs, self.workplace)
        seconds = self.workplace.seconds["build"] - before
        facts = {"seconds": seconds, **built.facts, "kind": recipe.kind}
        artefact = replace(built, key=key, facts=facts)
        self.store.put_artefact(recipe.kind, artefact, tree)
        return artefact

    def _say_of_others(self, recipe: Recipe, key: str, tree: Tree) -> None:
        """Say if the same recipe was made under other versions, so that nobody wonders."""
        kin = self.store.artefact_kin(recipe.kind, key)
        self.say_once(made_again(recipe.kind, tree, kin))


def _outcome(
    benchmark: Benchmark,
    entry: Entry,
    provider: "Provider",
    executor: Executor,
    limit: int | None,
) -> Outcome:
    """Everything made of one entry and repeat; of artefacts only what a record tells of them."""
    recipes = benchmark.protocol.artefacts(entry)
    provider.release(but=recipes)
    artefacts = provider.all(recipes)
    cases = tuple(benchmark.protocol.cases(entry, artefacts))
    if limit is not None:
        cases = tuple(benchmark.protocol.limited(entry, cases, limit))
    shards = tuple(_shards(benchmark, entry, cases, artefacts))
    tables = _tables(shards, provider, executor)
    described = {name: replace(artefact, tensors={}) for name, artefact in artefacts.items()}
    return Outcome(entry, cases, described, tuple(shard.key for shard in shards), tables)


def _shards(
    benchmark: Benchmark, entry: Entry, cases: Sequence[int], artefacts: Artefacts
) -> Iterator[Shard]:
    shared = {"protocol": benchmark.protocol.tree(), "entry": entry.tree()}
    needs = {name: artefact.key for name, artefact in artefacts.items()}
    size = benchmark.protocol.shard_size
    for start in range(0, len(cases), size):
        some = tuple(cases[start : start + size])
        tree = {**shared, "cases": list(some)}
        key = content_key(tree, needs)
        yield Shard(key, benchmark.protocol, entry, some, artefacts, tree)


def _tables(shards: Sequence[Shard], provider: "Provider", executor: Executor) -> tuple[Rows, ...]:
    """Each shard's rows: from the store where they are, else evaluated now and stored."""
    store, workplace = provider.store, provider.workplace
    tables = {shard.key: store.rows(shard.key, shard.cases) for shard in shards}
    missing = [shard for shard in shards if tables[shard.key] is None]
    if not missing:
        return tuple(rows for rows in tables.values() if rows is not None)
    task, done, total = missing[0].entry.label, len(shards) - len(missing), len(shards)
    kin = store.rows_kin(missing[0].key)
    provider.say_once(made_again(task, missing[0].tree, kin))
    workplace.progress.update(task, done, total)
    for shard, rows in zip(missing, executor.run(evaluate, missing, workplace), strict=True):
        store.put_rows(shard.key, rows)
        tables[shard.key] = rows
        done += 1
        workplace.progress.update(task, done, total)
    return tuple(rows for rows in tables.values() if rows is not None)


def evaluate(shard: Shard, workplace: LocalWorkplace) -> Rows:
    """The rows of one shard, its cost in their metadata. Runs on a worker."""
    seconds, passes = dict(workplace.seconds), workplace.passes()
    with workplace.stage("evaluate"):
        rows = shard.protocol.evaluate(shard.entry, shard.cases, shard.artefacts, workplace)
    cost = {
        "seconds": {k: s - seconds.get(k, 0.0) for k, s in workplace.seconds.items()},
        "passes": dict(workplace.passes() - passes),
        "peak_memory_mib": workplace.peak_memory_mib(),
    }
    tree = json.dumps(shard.tree, sort_keys=True).encode()
    metadata = {**(rows.schema.metadata or {}), FACTS: json.dumps(cost).encode(), TREE: tree}
    return rows.replace_schema_metadata(metadata)


def _scores(
    benchmark: Benchmark, outcomes: Mapping[str, Sequence[Outcome]]
) -> dict[str, list[Sequence[CaseScores]]]:
    """Per label and repeat the scores, from the rows of all entries of that repeat."""
    scores: dict[str, list[Sequence[CaseScores]]] = {label: [] for label in outcomes}
    for repeat in range(benchmark.repeats):
        rows = {label: of_label[repeat].rows for label, of_label in outcomes.items()}
        protocol = benchmark.protocol
        for label, of_label in judged_together(
            protocol, protocol.summarise, rows, outcomes
        ).items():
            scores[label].append(of_label)
    return scores
