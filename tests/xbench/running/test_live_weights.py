"""Weights of a live module in runs: made by the driver, and found by every process."""

from dataclasses import replace

import pytest

from small_datasets import Greys
from small_networks import Linear
from sure import Sure
from xbench.benchmark.assembly import Benchmark
from xbench.benchmark.lines import Line
from xbench.errors import RunError, WeightsError
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.resampling import Resampling
from xbench.interfaces.training import Training
from xbench.networks.loading import blank_module
from xbench.running.executors.local import LocalExecutor
from xbench.running.executors.processes import ProcessesExecutor
from xbench.running.planning.tasks import Build
from xbench.running.runner import RunOptions, run_benchmark
from xbench.running.storage.store import Store
from xbench.testing.workplace import tiny_workplace
from xbench.training.derived_weights import AveragedWeights
from xbench.training.live_weights import LiveModuleWeights
from xbench_zoo.losses import CrossEntropy

CLASSES = 2
PARTS = {"classifier": Linear(), "loss": CrossEntropy(), "training": Training(epochs=0)}


class Given(Benchmark):
    """A benchmark of one line whose weights are an average of live ones."""

    def entries(self, line):
        modules = [blank_module(Linear(), CLASSES, seed) for seed in range(2)]
        live = tuple(LiveModuleWeights(Linear(), CLASSES, module) for module in modules)
        for entry in super().entries(line):
            yield replace(entry, weights=AveragedWeights(live))


def scored(tmp_path, executor):
    """What a run says of each image, and the store that it left."""
    benchmark = Given(
        name="given",
        version="1",
        title="",
        protocol=Sure(),
        datasets={role: ImageSet(Greys(6), role) for role in ("train", "test")},
        lines=(Line("one", "entry", None, **PARTS),),
        contrasts=(),
        seed=0,
        repeats=1,
        **PARTS,
    )
    store = Store(str(tmp_path / "store"))
    options = RunOptions(resampling=Resampling(resamples=9))
    (record,) = run_benchmark(benchmark, store, executor, tiny_workplace(tmp_path), options)
    return store.rows(record.rows[0][0]).column("sure").to_pylist()


def test_live_weights_are_made_by_the_driver_and_found_by_other_processes(tmp_path, monkeypatch):
    built, perform = [], Build.perform

    def noted(self, bench):
        built.append(type(self.recipe))
        perform(self, bench)

    alone = scored(tmp_path / "alone", LocalExecutor(threads=1))
    monkeypatch.setattr(Build, "perform", noted)
    together = scored(tmp_path / "together", ProcessesExecutor(workers=1, threads=1))
    assert built == [LiveModuleWeights] * 2
    assert together == alone


def test_weights_of_a_live_module_that_do_not_fit_stop_the_run(tmp_path, monkeypatch):
    def unfit(self, needs, workplace):
        raise WeightsError("do not fit")

    monkeypatch.setattr(LiveModuleWeights, "build", unfit)
    with pytest.raises(WeightsError, match="do not fit"):
        scored(tmp_path, LocalExecutor())


def test_what_fails_while_the_driver_builds_fails_the_entry(tmp_path, monkeypatch):
    def broken(self, needs, workplace):
        raise ArithmeticError("no")

    monkeypatch.setattr(LiveModuleWeights, "build", broken)
    with pytest.raises(RunError, match="ArithmeticError: no"):
        scored(tmp_path, LocalExecutor())
