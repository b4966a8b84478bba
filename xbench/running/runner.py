"""The runner: from benchmarks to records, by one plan."""

import contextlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from xbench.benchmark.assembly import Benchmark
from xbench.benchmark.image_sets import check_datasets
from xbench.errors import FailedEntriesError, MismatchError, StoreFullError, UsageError
from xbench.interfaces.classifier import LIBRARY, Classifier
from xbench.interfaces.component import looks_inside
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.executor import Executor
from xbench.interfaces.protocol import CaseScores
from xbench.interfaces.recipe import TrainingPlan
from xbench.interfaces.resampling import Resampling
from xbench.interfaces.workplace import Progress, Silent
from xbench.networks.loading import whole_classifier
from xbench.networks.outputs import check_outputs
from xbench.results.record import Record
from xbench.running.bench import LocalBench
from xbench.running.messages import heard
from xbench.running.outcome import Outcome, Result, judged_together, put_results, records_of
from xbench.running.planning.forecast import announce
from xbench.running.planning.plan import EntryRun, Plan
from xbench.running.storage.store import Store
from xbench.running.work import Setting, Worker, at_bench
from xbench.running.workplace import LocalWorkplace
from xbench.training.recipe import plan_of, start_module


class RunOptions(NamedTuple):
    """How benchmarks are run."""

    limit: int | None = None
    """So many cases of each entry; None for all."""
    resampling: Resampling = Resampling()
    """How intervals are made."""
    keep: bool = True
    """Whether explanations and predictions stay in the store."""
    cap: float = 2.0
    """GiB of them that a run leaves there; its oldest go first."""
    train: bool = True
    """Whether what the store lacks may be trained."""
    draw: int | None = None
    """The seed by which a limited number of cases is drawn; None for those the protocol takes."""


DEFAULTS = RunOptions()


def run_benchmark(
    benchmark: Benchmark,
    store: Store,
    executor: Executor,
    workplace: LocalWorkplace,
    options: RunOptions = DEFAULTS,
) -> list[Record]:
    """Run a benchmark and store one record for each of its entries.

    What the store already holds is not made again, so a run that was killed goes on where
    it was and yields the record of an uninterrupted one, times aside. `FailedEntriesError`,
    which has the other records, where entries failed.
    """
    (records,) = run_together([benchmark], store, executor, workplace, options)
    return records


def run_together(
    benchmarks: Sequence[Benchmark],
    store: Store,
    executor: Executor,
    workplace: LocalWorkplace,
    options: RunOptions = DEFAULTS,
) -> list[list[Record]]:
    """Run benchmarks by one plan; the records of each."""
    for benchmark in benchmarks:
        check_benchmark(benchmark, workplace.progress)
    store.check_writable()
    bench = LocalBench(workplace, store, keep=options.keep)
    for notice in [notice for benchmark in benchmarks for notice in benchmark.notices]:
        bench.provider.say_once(notice)
    plan = Plan(benchmarks, bench, options.limit, options.cap * 2**30, options.draw)
    recipes = [recipe for run in plan.runs for recipe in run.recipes.values()]
    announce(recipes, bench.provider, train=options.train)
    with _working(executor, bench) as work:
        for done in executor.run(work, plan.tasks()):
            if isinstance(done.error, UsageError | StoreFullError):
                raise done.error
            plan.finished(done)
    device = str(workplace.device)
    results = [_results(benchmark, plan, options, device) for benchmark in benchmarks]
    records = [put_results(store, of_benchmark) for of_benchmark in results]
    _raise_failures(plan, records)
    return records


def _raise_failures(plan: Plan, records: list[list[Record]]) -> None:
    """Raise what stopped all entries, or `FailedEntriesError` that names those that failed."""
    several = len({run.benchmark.name for run in plan.runs}) > 1
    failed = {
        f"{run.benchmark.name}: {run.entry.label}" if several else run.entry.label: run.error
        for run in plan.runs
        if run.error is not None
    }
    errors = {str(error): error for error in failed.values()}
    if failed and not any(records) and len(errors) == 1:
        raise next(iter(errors.values()))
    if failed:
        raise FailedEntriesError(failed, records)


@contextlib.contextmanager
def _working(executor: Executor, bench: LocalBench) -> Iterator[Worker]:
    """What the executor calls for each task, in this process or in others."""
    workplace, run = bench.workplace, uuid.uuid4().hex
    messages = workplace.scratch / f"messages-{run}"
    with contextlib.ExitStack() as stack:
        probe = ""
        if executor.shared:
            probe = stack.enter_context(bench.store.probe())
            stack.enter_context(heard(messages, workplace.progress))
        setting = Setting(
            store=bench.store.url,
            device=str(workplace.device),
            batch_size=workplace.batch_size,
            scratch=str(workplace.scratch.absolute()),
            threads=executor.worker_threads(),
            keep=bench.kept.keep,
            messages=str(messages.absolute()),
            probe=probe,
        )
        if not executor.shared:
            stack.enter_context(at_bench(setting, bench))
        yield Worker(setting)


def _results(benchmark: Benchmark, plan: Plan, options: RunOptions, device: str) -> list[Result]:
    """Results of the entries that did not fail; of none where they depend on one that did."""
    runs: dict[str, list[EntryRun]] = {}
    for run in plan.runs:
        if run.benchmark is benchmark:
            runs.setdefault(run.entry.label, []).append(run)
    whole = {
        label: [plan.outcome(run) for run in of_label]
        for label, of_label in runs.items()
        if not any(run.error for run in of_label)
    }
    if not whole or (benchmark.protocol.relative and len(whole) < len(runs)):
        return []
    scores = _scores(benchmark, whole)
    return records_of(benchmark, whole, scores, options.resampling, options.limit, device)


def check_benchmark(
    benchmark: Benchmark, progress: Progress | None = None, *, download: bool = True
) -> None:
    """Raise what is wrong with datasets, weights or the cut before anything is made.

    Weights that are to be downloaded are, or without `download` are not looked at.
    """
    check_datasets(benchmark.datasets)
    for images in benchmark.datasets.values():
        if not images.ids():
            raise UsageError(f"split {images.split!r} of dataset {images.dataset.name!r} is empty")
    for loss in dict.fromkeys(line.loss for line in benchmark.lines):
        loss.check(benchmark.datasets["train"])
    _check_networks(benchmark, progress or Silent(), download=download)
    if download:
        _check_given_weights(benchmark, progress or Silent())


def _check_networks(benchmark: Benchmark, progress: Progress, *, download: bool) -> None:
    """Make each network once, and try the cut of those that something looks into."""
    plans, cut = dict[Classifier, TrainingPlan](), set[Classifier]()
    for line in benchmark.lines:
        if not line.ensemble:
            entry = next(benchmark.entries(line))
            plan = plan_of(entry)
            if entry.weights is None:
                _check_trainable(plan)
            plans.setdefault(plan.classifier, plan)
            if looks_inside(line.explainer) or looks_inside(benchmark.protocol):
                cut.add(plan.classifier)
    for classifier, plan in plans.items():
        if not download and classifier.weights == LIBRARY:
            continue
        network = whole_classifier(classifier, start_module(plan), plan.classes)
        for note in check_outputs(network, _image_size(plan.images)):
            progress.say(note)
        if classifier in cut:
            network.cut()
            for note in network.notes:
                progress.say(f"{network.name}: {note}")


def _check_trainable(plan: TrainingPlan) -> None:
    """Refuse a training on images without labels."""
    dataset = plan.images.dataset
    if plan.training.epochs and not dataset.has_labels:
        raise MismatchError(
            f"classifier {plan.classifier.name!r} is to be trained, and dataset {dataset.name!r} "
            "has no labels; take one that is trained already: -p training.epochs=0 "
            "-p classifier.weights=FILE (or library)"
        )


def _image_size(images: ImageSet) -> tuple[int, int]:
    """Height and width of the first image."""
    height, width = images.batch(images.ids()[:1]).images.shape[-2:]
    return height, width


def _check_given_weights(benchmark: Benchmark, progress: Progress) -> None:
    """Check each of the weights that come from elsewhere."""
    entries = (entry for line in benchmark.lines for entry in benchmark.entries(line))
    for weights in dict.fromkeys(entry.weights for entry in entries):
        if weights is not None:
            weights.check(progress)


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
