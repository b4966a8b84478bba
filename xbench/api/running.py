"""Running benchmarks from Python: what `xbench run` does, with components as they are at hand."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from torch import nn

from xbench.api.modules import LiveClassifier, classifier_from
from xbench.api.progress import progress
from xbench.api.result import RunResult
from xbench.api.self_description import self_description
from xbench.api.setting import builder_of, changes_of, executor_of, local_workplace, opened_store
from xbench.benchmark.assembly import Benchmark, assemble
from xbench.benchmark.declaration import benchmark_file, declared
from xbench.components.registry import Registry, installed
from xbench.components.specification import MADE, as_table, plain_table
from xbench.errors import ParameterError, UsageError
from xbench.interfaces.classifier import Classifier
from xbench.interfaces.component import Component, Tree
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.interfaces.data.transform import Transform
from xbench.interfaces.executor import Executor
from xbench.interfaces.explanation import Explainer
from xbench.interfaces.workplace import Progress
from xbench.reports.report import Run
from xbench.running.executors.local import LocalExecutor
from xbench.running.runner import RunOptions, run_benchmark
from xbench.running.storage.store import Store
from xbench.training.live_weights import LiveState

Parameters = Mapping[str, Any]
"""Nested as `-p` paths are: `{"training": {"epochs": 5}}`."""


class _Asked(NamedTuple):
    """What is chosen of a benchmark."""

    explainer: str | Explainer | None
    dataset: str | Dataset | None
    classifier: str | Classifier | nn.Module | None
    variants: Sequence[str]
    numbers: Tree
    parameters: Parameters


def run(  # noqa: PLR0913 - what a person may choose, by name
    benchmark: str | os.PathLike[str] | Benchmark = "default",
    *,
    explainer: str | Explainer | None = None,
    dataset: str | Dataset | None = None,
    classifier: str | Classifier | nn.Module | None = None,
    variant: str | Sequence[str] = (),
    parameters: Parameters | None = None,
    limit: int | None = None,
    repeats: int | None = None,
    seed: int | None = None,
    store: str | os.PathLike[str] | None = None,
    executor: str | Parameters | Executor | None = None,
    device: str = "auto",
    batch_size: int = 32,
    keep: bool = True,
    quiet: bool = False,
) -> RunResult:
    """Run a benchmark: train, explain, score and record; what the store has is not made again.

    `benchmark` is a name, a TOML file or a `Benchmark`; explainer, dataset and classifier are names
    or components, and a classifier may be a `torch.nn.Module`, which keeps its weights.
    `parameters` are nested as `-p` paths are. An interrupted call goes on where it was when it is
    made again. `FailedEntriesError`, which has the other records, where entries failed.
    """
    variants = [variant] if isinstance(variant, str) else list(variant)
    numbers = {"seed": seed, "repeats": repeats}
    given = dict(parameters or {})
    asked = _Asked(explainer, dataset, classifier, variants, numbers, given)
    with progress(quiet) as reporter:
        prepared, by = _prepared(benchmark, asked, executor)
        place = local_workplace(device, batch_size, reporter)
        options = RunOptions(_counted(limit), keep=keep)
        opened = opened_store(None if store is None else os.fspath(store))
        return _run(prepared, by, opened, place, options)


def _run(
    benchmark: Benchmark, executor: Executor, store: Store, workplace: Any, options: RunOptions
) -> RunResult:
    records = run_benchmark(benchmark, store, executor, workplace, options)
    # a report or a figure that is asked for later has no cell to show its progress in
    quiet = replace(workplace, progress=_silent())
    call = f"xbench.run({benchmark.name!r}, limit={options.limit})"
    return RunResult(Run(benchmark, records, store, quiet, call))


def _silent() -> Progress:
    from xbench.interfaces.workplace import Silent

    return Silent()


def _counted(limit: int | None) -> int | None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise ParameterError(f"limit: expected a whole number of at least 1, got {limit!r}")
    return limit


def _prepared(
    benchmark: str | os.PathLike[str] | Benchmark,
    asked: _Asked,
    executor: str | Parameters | Executor | None,
) -> tuple[Benchmark, Executor]:
    """The benchmark with all that was chosen, and who does its tasks."""
    registry = installed()
    if isinstance(benchmark, Benchmark):
        _refuse_choices(asked)
        tree: Tree = {}
        assembled = benchmark
    else:
        tree = _tree(benchmark, asked, registry)
        assembled = assemble(tree, registry)
    if executor is None:
        return assembled, executor_of(tree, registry) if tree else LocalExecutor()
    if isinstance(executor, Executor):
        return assembled, executor
    table = as_table(executor if isinstance(executor, str) else dict(executor))
    return assembled, executor_of({**tree, "executor": table}, registry)


def _refuse_choices(asked: _Asked) -> None:
    chosen = {**asked._asdict(), **asked.numbers}
    del chosen["numbers"]
    for name, value in chosen.items():
        if value is not None and value not in ([], {}):
            raise UsageError(
                f"{name}: a Benchmark is run as it is; choose with "
                f"xbench.load_benchmark(NAME, …), or give run the benchmark's name"
            )


def _tree(benchmark: str | os.PathLike[str], asked: _Asked, registry: Registry) -> Tree:
    """The benchmark's tree with all choices in it."""
    path = benchmark_file(os.fspath(benchmark), registry)
    module = asked.classifier if isinstance(asked.classifier, nn.Module) else None
    dataset = _given("dataset", asked.dataset, Dataset)
    explainer = _given("explainer", asked.explainer, Explainer)
    classifier = _given("classifier", None if module else asked.classifier, Classifier)
    made = {"dataset": dataset.table, "explainer": explainer.table}
    chosen = {**made, "classifier": classifier.table or classifier.name, **asked.numbers}
    laid = changes_of(chosen, dict(asked.parameters))
    tree = declared(path, dataset.name, asked.variants, explainer.name, laid)
    if isinstance(asked.classifier, LiveClassifier):
        return _with_remark(tree, asked.classifier)
    return tree if module is None else _with_module(tree, module, registry)


class _Given(NamedTuple):
    """A component's name, and for one that was made already its table."""

    name: str | None
    table: Tree | None = None


def _given(kind: str, given: object, cls: type[Component]) -> _Given:
    if given is None or isinstance(given, str):
        return _Given(given)
    made = _checked(kind, given, cls)
    return _Given(made.name, {"name": made.name, MADE: made})


def _checked(kind: str, given: Any, cls: type[Component]) -> Any:
    """The component, which has to be one of the kind."""
    if isinstance(given, type) or not isinstance(given, cls):
        known = (
            f"the name of {_a(kind)} (xbench.components({kind!r}) lists them) or {_a(cls.__name__)}"
        )
        shown = given.__name__ if isinstance(given, type) else type(given).__name__
        remark = "; make one of the class" if isinstance(given, type) else ""
        raise ParameterError(f"{kind}: expected {known}, got {shown}{remark}")
    return given


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiouAEIOU' else 'a'} {noun}"


def _with_module(tree: Tree, module: nn.Module, registry: Registry) -> Tree:
    """The tree whose classifier is the module, with the weights that it has now."""
    side = 0 if self_description(module).side else _image_side(tree, registry)
    classifier = classifier_from(module, side=side)
    given = {"classifier": {"name": classifier.name, MADE: classifier}}
    return _with_remark({**tree, **given, "weights": LiveState(module)}, classifier)


def _with_remark(tree: Tree, classifier: LiveClassifier) -> Tree:
    """The tree that says before the run what was assumed of a module."""
    remarks = [*tree.get("remarks", ()), classifier.remark]
    return {**tree, "remarks": list(filter(None, remarks))}


def _image_side(tree: Tree, registry: Registry) -> int:
    """The short side of the first test image, as a network would see it."""
    dataset: Dataset = builder_of(tree, registry).build("dataset", tree["dataset"])
    dataset.check()
    transform = plain_table(Transform, tree.get("transform", {}), "transform")
    images = ImageSet(dataset, str(tree["splits"]["test"]), transform)
    return min(images.batch(images.ids()[:1]).images.shape[-2:])
