"""The one loop: what it holds in memory while it runs."""

import gc
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import torch
from torch import Tensor, nn

from xbench.benchmark.assembly import Benchmark, Line
from xbench.interfaces.artefact import Artefacts
from xbench.interfaces.classifier import Classifier, Normalisation
from xbench.interfaces.data.dataset import Dataset, ImageSet
from xbench.interfaces.protocol import CaseScores, Entry, Protocol, Rows
from xbench.interfaces.recipe import Recipe
from xbench.interfaces.resampling import Resampling
from xbench.interfaces.training import Training
from xbench.interfaces.workplace import Workplace
from xbench.results.record import Record
from xbench.running.local import LocalExecutor
from xbench.running.runner import run
from xbench.running.store import Store
from xbench.running.workplace import LocalWorkplace
from xbench.training.recipe import weights_recipe
from xbench_zoo.losses import CrossEntropy


@dataclass(frozen=True)
class Black(Dataset):
    """Six black squares."""

    name: ClassVar[str] = "black"

    def check(self) -> None:
        """Nothing can be missing."""

    def fingerprint(self) -> str:
        return "black"

    def class_names(self) -> tuple[str, ...]:
        return "a", "b"

    def splits(self) -> tuple[str, ...]:
        return "train", "test"

    def ids(self, split: str) -> Sequence[int]:
        return range(3) if split == "train" else range(3, 6)

    def labels(self, ids: Sequence[int]) -> Tensor:
        return torch.tensor([image % 2 for image in ids])

    def images(self, ids: Sequence[int]) -> Tensor:
        return torch.zeros(len(ids), 3, 8, 8, dtype=torch.uint8)


@dataclass(frozen=True)
class Linear(Classifier):
    """The smallest network that can be cut."""

    name: ClassVar[str] = "linear"

    def module(self, classes: int) -> nn.Module:
        pooled = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, classes))
        return nn.Sequential(nn.Conv2d(3, 2, 1), *pooled)

    def normalisation(self) -> Normalisation:
        return Normalisation()

    def input_size(self) -> int:
        return 8


@dataclass(frozen=True)
class Counting(Protocol):
    """Notes how many artefacts there are when an entry is evaluated."""

    name: ClassVar[str] = "counting"
    scores: ClassVar[None] = None
    seen: ClassVar[list[Any]] = []
    alive: ClassVar[list[int]] = []

    def needs(self) -> tuple[()]:
        return ()

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        return {"weights": weights_recipe(entry)}

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[int]:
        return entry.datasets["test"].ids()

    def evaluate(
        self, entry: Entry, cases: Sequence[int], artefacts: Artefacts, workplace: Workplace
    ) -> Rows:
        self.seen.extend(weakref.ref(tensor) for tensor in artefacts["weights"].tensors.values())
        gc.collect()
        self.alive.append(sum(one() is not None for one in self.seen))
        return pa.table({"case": list(cases)})

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        return {label: [self._score(table)] for label, table in rows.items()}

    def _score(self, table: Rows) -> CaseScores:
        case = table.column("case").to_numpy()
        return CaseScores("case", "higher", case, case.astype(float), headline=True)


def counted(tmp_path) -> list[Record]:
    """Three entries with weights of their own, each run twice."""
    training, classifier = Training(epochs=0), Linear()
    lines = tuple(
        Line(f"smoothing {smoothing}", "entry", None, classifier, CrossEntropy(smoothing), training)
        for smoothing in (0.0, 0.1, 0.2)
    )
    benchmark = Benchmark(
        name="made-up",
        version="1",
        title="",
        protocol=Counting(),
        datasets={split: ImageSet(Black(), split) for split in ("train", "test")},
        classifier=classifier,
        loss=lines[0].loss,
        training=training,
        lines=lines,
        contrasts=(),
        seed=0,
        repeats=2,
    )
    Counting.seen.clear()
    Counting.alive.clear()
    workplace = LocalWorkplace(torch.device("cpu"), 5, tmp_path / "scratch")
    store = Store(str(tmp_path / "store"))
    return run(benchmark, store, LocalExecutor(), workplace, resampling=Resampling(resamples=10))


def test_artefacts_that_no_entry_needs_any_more_are_not_kept_in_memory(tmp_path) -> None:
    records = counted(tmp_path)
    keys = {key for record in records for of in record.artefacts for key in of.values()}
    assert len(keys) == len(Counting.alive) == 6
    assert Counting.alive == [4] * 6  # the tensors of one network


def test_records_tell_of_artefacts_that_were_released(tmp_path) -> None:
    for record in counted(tmp_path):
        assert [facts["classes"] for facts in record.artefact_facts] == [2, 2]
        assert {facts["key"] for facts in record.artefact_facts} == {
            of["weights"] for of in record.artefacts
        }
