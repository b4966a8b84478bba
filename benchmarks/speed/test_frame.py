"""What the frame costs: an explainer that does nothing, beside the images and the network alone.

pytest benchmarks/speed/test_frame.py -s

takes XBENCH_FRAME_IMAGES images (20 000) of toybirds: loaded, batched and given to the network
once; and the same by a run of a protocol whose explainer makes one number of the logits, with
explanations kept and not kept. Both go on in turn, some 256 images at a time. Statistics are no
part of it: the clock stops when the plan is done. Last comes what of a run is the
search for changes.
"""

import os
import pkgutil
import shutil
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
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
END = object()
"""No step."""


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


def bare(benchmark, folder: Path) -> Iterator[None]:
    """The images and the network alone, some images a step."""
    bench = bench_at(folder)
    entry = next(benchmark.entries(benchmark.lines[0]))
    images: ImageSet = entry.datasets["test"]
    network = bench.network(entry.classifier, bench.provider.one(weights_recipe(entry)))
    ids = images.ids()
    for place in range(0, len(ids), 32):
        batch = images.batch(ids[place : place + 32])
        network.logits(batch.images, batch.ids)
        if place % 256 == 224:
            yield


def framed(benchmark, folder: Path, *, keep: bool) -> Iterator[None]:
    """A run up to its last row, a task a step."""
    bench = bench_at(folder, keep=keep)
    plan = Plan([benchmark], bench, None, 2**31)
    for task in plan.tasks():
        task.perform(bench)
        plan.finished(Done(task.key, {"kept": {}}))
        yield


def emptied(folder: Path) -> Path:
    """The folder, whose store has weights alone."""
    for name in ("rows", "explanations"):
        shutil.rmtree(folder / "store" / name, ignore_errors=True)
    return folder


def seconds_in_turn(*works: Iterator[None]) -> list[float]:
    """What each takes to its end; it is always the turn of the one that took least so far."""
    seconds, left = [0.0] * len(works), set(range(len(works)))
    while left:
        own = min(left, key=seconds.__getitem__)
        start = time.perf_counter()
        if next(works[own], END) is END:
            left.remove(own)
        seconds[own] += time.perf_counter() - start
    return seconds


@pytest.fixture
def one_thread():
    """Computations have one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "not kept"])
def test_the_frame_costs_little_beside_images_and_network(prepared, one_thread, keep):
    benchmark, folder = prepared
    ratios = []
    for _ in range(PAIRS):
        alone, whole = seconds_in_turn(
            bare(benchmark, folder), framed(benchmark, emptied(folder), keep=keep)
        )
        print(f"\nalone {alone:.1f} s, by a run {whole:.1f} s", end="")
        ratios.append(whole / alone)
    every = [round(ratio, 3) for ratio in ratios]
    print(f"\n{IMAGES} images, keep {keep}: {statistics.median(ratios):.3f} {every}")


def test_looking_for_changes_is_a_small_share_of_it(prepared, one_thread, monkeypatch):
    benchmark, folder = prepared
    looked = [0.0]

    def timed(place: str):
        original = pkgutil.resolve_name(place)

        def called(*given, **options):
            start = time.perf_counter()
            try:
                return original(*given, **options)
            finally:
                looked[0] += time.perf_counter() - start

        return called

    for name in ("_kept", "_put_back"):
        place = f"xbench.running.guard.block.{name}"
        monkeypatch.setattr(place, timed(place))
    start = time.perf_counter()
    for _ in framed(benchmark, emptied(folder), keep=True):
        pass
    whole = time.perf_counter() - start
    print(f"\nlooking for changes: {100 * looked[0] / whole:.2f} % of {whole:.0f} s")
