"""What the frame costs: an explainer that does nothing, beside the images and the network alone.

pytest benchmarks/speed/test_frame.py -s

takes XBENCH_FRAME_IMAGES images (20 000) of toybirds in turn: loaded, batched and given to the
network once; and the same by a run of a protocol whose explainer makes one number of the
activations, with explanations kept and not kept. Statistics are no part of it: the clock stops
when the plan is done.
"""

import os
import shutil
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa
import pytest
import torch
from torch import Tensor

from xbench import (
    Bench,
    Case,
    Done,
    Entry,
    Explainer,
    Explanation,
    ImageSet,
    LocalBench,
    LocalWorkplace,
    Plan,
    Protocol,
    Request,
    Store,
    case_column,
    load_benchmark,
    subject_of,
    weights_recipe,
)

IMAGES = int(os.environ.get("XBENCH_FRAME_IMAGES", "20000"))
PAIRS = int(os.environ.get("XBENCH_FRAME_PAIRS", "3"))


@dataclass(frozen=True, eq=False)
class Number(Explanation):
    """A number."""

    name: ClassVar[str] = "number"

    value: Tensor

    def tensors(self) -> Mapping[str, Tensor]:
        """The number."""
        return {"value": self.value}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The number."""
        return cls(tensors["value"])

    def draw(self, batch: Any, examples: Any, class_names: tuple[str, ...]) -> Any:
        """Nothing."""


@dataclass(frozen=True)
class Nothing(Explainer):
    """Gives the largest logit."""

    name: ClassVar[str] = "nothing"
    makes: ClassVar[type[Number]] = Number

    def explain(self, network, batch, artefacts, generator, given) -> list[Number]:
        """One number for each image."""
        return [Number(row.max()) for row in network.logits(batch.images, batch.ids)]


@dataclass(frozen=True)
class Listing(Protocol):
    """Lists the numbers of all test images."""

    name: ClassVar[str] = "listing"
    scores: ClassVar[type[Number]] = Number

    def needs(self) -> tuple[()]:
        """Nothing."""
        return ()

    def artefacts(self, entry: Entry):
        """The weights."""
        return {"weights": weights_recipe(entry)}

    def cases(self, entry: Entry, artefacts) -> Sequence[Case]:
        """All test images."""
        return [Case("test", image) for image in entry.datasets["test"].ids()]

    def requests(self, entry: Entry, cases: Sequence[Case]) -> list[Request]:
        """The numbers."""
        ids = tuple(case.id for case in cases)
        return [Request(Nothing(), subject_of(entry), entry.datasets["test"], ids)]

    def evaluate(self, entry: Entry, cases: Sequence[Case], artefacts, bench: Bench) -> pa.Table:
        """One row per image."""
        ids = [case.id for case in cases]
        numbers = bench.explanations(Nothing(), subject_of(entry), entry.datasets["test"], ids)
        values = [float(number.tensors()["value"]) for number in numbers]
        return pa.table({"case": case_column(cases), "value": values})

    def summarise(self, rows):
        """Nothing."""
        return {label: [] for label in rows}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A benchmark, and a store that has its weights."""
    from dataclasses import replace

    folder = tmp_path_factory.mktemp("frame")
    changes = {"dataset": {"test": IMAGES}, "training": {"epochs": 1}}
    benchmark = load_benchmark("default", changes=changes)
    line = replace(benchmark.lines[0], explainer=Nothing())
    benchmark = replace(benchmark, protocol=Listing(), lines=(line,), contrasts=())
    bench_at(folder).provider.one(weights_recipe(next(benchmark.entries(line))))
    return benchmark, folder


def bench_at(folder: Path, *, keep: bool = True) -> LocalBench:
    """A bench with a store in the folder."""
    workplace = LocalWorkplace(torch.device("cpu"), 32, folder / "scratch")
    return LocalBench(workplace, Store(str(folder / "store")), keep=keep)


def bare(benchmark, folder: Path) -> float:
    """Seconds of the images and the network alone."""
    bench = bench_at(folder)
    entry = next(benchmark.entries(benchmark.lines[0]))
    images: ImageSet = entry.datasets["test"]
    network = bench.network(entry.classifier, bench.provider.one(weights_recipe(entry)))
    ids, start = images.ids(), time.perf_counter()
    for place in range(0, len(ids), 32):
        batch = images.batch(ids[place : place + 32])
        network.logits(batch.images, batch.ids)
    return time.perf_counter() - start


def framed(benchmark, folder: Path, *, keep: bool) -> float:
    """Seconds of a run, up to its last row."""
    for name in ("rows", "explanations"):
        shutil.rmtree(folder / "store" / name, ignore_errors=True)
    bench = bench_at(folder, keep=keep)
    start = time.perf_counter()
    plan = Plan([benchmark], bench, None, 2**31)
    for task in plan.tasks():
        task.perform(bench)
        plan.finished(Done(task.key, {"kept": {}}))
    return time.perf_counter() - start


def test_the_frame_costs_little_beside_images_and_network(prepared):
    benchmark, folder = prepared
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    seconds: dict[str, list[float]] = {"bare": [], "kept": [], "not kept": []}
    for _ in range(PAIRS):
        seconds["bare"].append(bare(benchmark, folder))
        seconds["kept"].append(framed(benchmark, folder, keep=True))
        seconds["not kept"].append(framed(benchmark, folder, keep=False))
    torch.set_num_threads(threads)
    for name in ("kept", "not kept"):
        ratios = [a / b for a, b in zip(seconds[name], seconds["bare"], strict=True)]
        middle, every = statistics.median(ratios), [round(ratio, 3) for ratio in ratios]
        print(f"\n{IMAGES} images, {name}: {middle:.3f} of the bare loop {every}")
