"""The plan: everything that is to be done for benchmarks, as one graph that grows.

It grows as cases become known: which images are explained, and which rows are missing, is seen
when the artefacts that say so are there.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Generator

from xbench.benchmark.assembly import Benchmark
from xbench.errors import RunError, StoreFullError, UsageError
from xbench.interfaces.artefact import Artefacts
from xbench.interfaces.component import Tree, content_key
from xbench.interfaces.data.case import Case
from xbench.interfaces.executor import Done
from xbench.interfaces.protocol import Entry, Rows
from xbench.interfaces.recipe import Recipe
from xbench.randomness import generator
from xbench.running.bench import LocalBench
from xbench.running.blocks import block_size
from xbench.running.kept import Ledger
from xbench.running.outcome import Outcome
from xbench.running.planning.graph import Graph, Step
from xbench.running.planning.requests import Requests
from xbench.running.planning.tasks import Build, Evaluate, Task
from xbench.running.versions import made_again
from xbench.running.work import sendable


class Shard(NamedTuple):
    """Some cases of an entry, and what its key is of."""

    key: str
    cases: Sequence[Case]
    tree: Tree


@dataclass(eq=False)
class EntryRun:
    """An entry in one repeat, and how far it is."""

    benchmark: Benchmark
    entry: Entry
    recipes: Mapping[str, Recipe]
    name: str
    cases: tuple[Case, ...] = ()
    shards: tuple[Shard, ...] = ()
    tables: dict[str, Rows] = field(default_factory=dict)
    """Rows by shard, of those that were there."""
    error: Exception | None = None

    @property
    def missing(self) -> list[Shard]:
        """Shards whose rows were not there."""
        return [shard for shard in self.shards if shard.key not in self.tables]

    @property
    def weights(self) -> set[str]:
        """Keys of the weights that it uses."""
        return {recipe.key for recipe in self.recipes.values() if recipe.kind == "weights"}

    @property
    def affinity(self) -> str:
        """Of the network that it uses most."""
        return min(self.weights, default="")


@dataclass(eq=False)
class Group:
    """Runs that use the same networks: what they want explained is explained together."""

    runs: list[EntryRun]
    unknown: int
    """How many are not known yet in all their cases."""
    open: int
    """How many are not evaluated yet."""


class Queue:
    """Tasks that can begin; those of one network follow each other."""

    def __init__(self) -> None:
        self._tasks: dict[str, deque[Task]] = {}
        self._last = ""

    def add(self, task: Task) -> None:
        """Add a task."""
        self._tasks.setdefault(task.affinity, deque()).append(task)

    def take(self) -> Task | None:
        """The next one; None if there is none."""
        affinity = self._last if self._last in self._tasks else next(iter(self._tasks), None)
        if affinity is None:
            return None
        tasks, self._last = self._tasks[affinity], affinity
        task = tasks.popleft()
        if not tasks:
            del self._tasks[affinity]
        return task


class Plan:
    """Gives out tasks as they can begin, and is told what became of them."""

    def __init__(
        self,
        benchmarks: Sequence[Benchmark],
        bench: LocalBench,
        limit: int | None,
        cap: float,
        draw: int | None = None,
    ) -> None:
        self.bench = bench
        self.draw = draw
        self.kept = Ledger(bench.store, cap)
        self.limit = limit
        self.runs = list(runs_of(benchmarks))
        self._graph, self._queue = Graph(), Queue()
        self._running: dict[str, Task] = {}
        self._progress: dict[str, Counter[str]] = {}

    def tasks(self) -> Iterator[Task | None]:
        """The next task that can begin, None where none can yet, until all is done."""
        for group in _groups(self.runs):
            for run in group.runs:
                self._declare(run, group)
        while True:
            task = self._queue.take()
            if task is None and not self._running:
                return
            if task is not None:
                self._running[task.key] = task
            yield task

    def finished(self, done: Done) -> None:
        """What became of a task. `RunError` for one that was not given out, or twice."""
        task = self._running.pop(done.key, None)
        if task is None:
            raise RunError(f"the executor told of a task that does not run: {done.key!r}")
        if done.error is not None:
            self._graph.fail(done.key, done.error)
            return
        self.kept.add(done.facts["kept"])
        self._count(task, "done")
        self._graph.end(done.key)

    def outcome(self, run: EntryRun) -> Outcome:
        """What became of an entry: of artefacts only what a record tells of them."""
        artefacts = self.bench.provider.all(run.recipes)
        described = {name: replace(artefact, tensors={}) for name, artefact in artefacts.items()}
        tables = tuple(self._rows(run, shard) for shard in run.shards)
        return Outcome(run.entry, run.cases, described, tuple(s.key for s in run.shards), tables)

    def _rows(self, run: EntryRun, shard: Shard) -> Rows:
        rows = run.tables.get(shard.key)
        rows = self.bench.store.rows(shard.key, shard.cases) if rows is None else rows
        if rows is None:
            raise RunError(
                f"rows of {run.entry.label!r} were written to store {self.bench.store.url!r} and "
                "cannot be read again; run the same command again"
            )
        return rows

    def _declare(self, run: EntryRun, group: Group) -> None:
        for recipe in run.recipes.values():
            self._need(recipe)
        step = Step(run.name, partial(self._expand, run, group), partial(self._fail, run, group))
        self._graph.add(step, [recipe.key for recipe in run.recipes.values()])

    def _need(self, recipe: Recipe) -> None:
        needs = recipe.needs().values()
        for other in needs:
            self._need(other)
        key = recipe.key
        step = Step(key, partial(self._artefact, recipe, key))
        self._graph.add(step, [other.key for other in needs])

    def _artefact(self, recipe: Recipe, key: str) -> None:
        if self.bench.provider.stored(recipe.kind, key) is not None:
            self._graph.end(key)
        elif recipe.in_driver:
            self._build(Build(key, recipe.kind, "", recipe))
        else:
            self._queue.add(Build(key, recipe.kind, "", recipe))

    def _build(self, task: Build) -> None:
        """Make now, in this process, what no other can make."""
        try:
            task.perform(self.bench)
        except (UsageError, StoreFullError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a component raises
            self._graph.fail(task.key, sendable(error))
        else:
            self._graph.end(task.key)

    def _expand(self, run: EntryRun, group: Group) -> None:
        """The entry's artefacts are there: its cases, and which rows are missing, become known."""
        expand(run, self.bench, self.limit, self.draw)
        self._say_of_others(run)
        self._settle(group)

    def _say_of_others(self, run: EntryRun) -> None:
        """Say if the store has rows of the same components in other versions."""
        for shard in run.missing[:1]:
            kin = self.bench.store.rows_kin(shard.key)
            self.bench.provider.say_once(made_again(run.entry.label, shard.tree, kin))

    def _fail(self, run: EntryRun, group: Group, error: Exception) -> None:
        self._close(run, group, error)
        self._settle(group)

    def _settle(self, group: Group) -> None:
        """When all cases are known of all runs that use the same networks, they are evaluated."""
        group.unknown -= 1
        if group.unknown:
            return
        runs = [run for run in group.runs if run.missing and run.error is None]
        requests = Requests(self.bench)
        for run in runs:
            requests.add(run.benchmark.protocol, run.entry, run.cases)
        for task in requests.tasks():
            step = Step(task.key, partial(self._queue.add, task))
            self._graph.add(step, ())
        for run in group.runs:
            if run.error is None:
                self._evaluate(run, group, requests)

    def _evaluate(self, run: EntryRun, group: Group, requests: Requests) -> None:
        protocol, entry = run.benchmark.protocol, run.entry
        counts = self._progress.setdefault(entry.label, Counter())
        counts["done"] += len(run.tables)
        counts["total"] += len(run.shards)
        for shard in run.missing:
            what = shard.key, entry.label, run.affinity
            task = Evaluate(*what, protocol, entry, shard.cases, run.recipes, shard.tree)
            step = Step(shard.key, partial(self._queue.add, task))
            self._graph.add(step, requests.needed(protocol, entry, shard.cases))
        closed = partial(self._close, run, group)
        end = Step(f"{run.name} done", closed, closed)
        self._graph.add(end, [shard.key for shard in run.missing])

    def _close(self, run: EntryRun, group: Group, error: Exception | None = None) -> None:
        """An entry is evaluated, or failed; with the last of its network, the cap is enforced."""
        run.error = run.error or error
        group.open -= 1
        if not group.open:
            self.kept.enforce()

    def _count(self, task: Task, what: str) -> None:
        if isinstance(task, Evaluate):
            counts = self._progress[task.label]
            counts[what] += 1
            self.bench.progress.update(task.label, counts["done"], counts["total"])


def expand(run: EntryRun, bench: LocalBench, limit: int | None, draw: int | None = None) -> None:
    """The run's artefacts are there: find its cases, its shards, and the rows that there are."""
    protocol, entry = run.benchmark.protocol, run.entry
    artefacts = bench.provider.all(run.recipes)
    run.cases = tuple(protocol.cases(entry, artefacts))
    if limit is not None and draw is not None:
        run.cases = _drawn(run.cases, limit, generator("cases", draw, entry.repeat))
    elif limit is not None:
        run.cases = tuple(protocol.limited(entry, run.cases, limit))
    run.shards = tuple(_shards(run, artefacts))
    stored = {shard.key: bench.store.rows(shard.key, shard.cases) for shard in run.shards}
    run.tables = {key: rows for key, rows in stored.items() if rows is not None}
    bench.provider.release()


def _drawn(cases: Sequence[Case], count: int, source: Generator) -> tuple[Case, ...]:
    """So many of the cases, in their order."""
    places = torch.randperm(len(cases), generator=source)[:count]
    return tuple(cases[place] for place in sorted(places.tolist()))


def runs_of(benchmarks: Sequence[Benchmark]) -> Iterator[EntryRun]:
    """Each entry of the benchmarks in each repeat."""
    for benchmark in benchmarks:
        for line in benchmark.lines:
            for entry in benchmark.entries(line):
                name = f"{benchmark.name}/{entry.label}/{entry.repeat}"
                yield EntryRun(benchmark, entry, benchmark.protocol.artefacts(entry), name)


def _groups(runs: Sequence[EntryRun]) -> list[Group]:
    """The runs, those together that share weights, directly or by others."""
    found: list[tuple[set[str], list[EntryRun]]] = []
    for run in runs:
        keys, members = set(run.weights), [run]
        for other in [other for other in found if other[0] & keys]:
            found.remove(other)
            keys |= other[0]
            members = [*other[1], *members]
        found.append((keys, members))
    return [Group(members, len(members), len(members)) for _, members in found]


def _shards(run: EntryRun, artefacts: Artefacts) -> Iterator[Shard]:
    protocol = run.benchmark.protocol
    shared = {"protocol": protocol.tree(), "entry": run.entry.tree()}
    needs = {name: artefact.key for name, artefact in artefacts.items()}
    size = protocol.shard_size or block_size(len(run.cases))
    for start in range(0, max(1, len(run.cases)), size):  # where no answer is yet
        cases = run.cases[start : start + size]
        tree = {**shared, "cases": [str(case) for case in cases]}
        yield Shard(content_key(tree, needs), cases, tree)
