"""The one loop: what it holds in memory while it runs."""

import gc
import json
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import safe_open

from small_datasets import Greys
from small_networks import Linear
from xbench.benchmark.assembly import Benchmark
from xbench.benchmark.lines import Line
from xbench.interfaces.artefact import Artefacts
from xbench.interfaces.component import content_key
from xbench.interfaces.data.case import Case, case_column, case_places
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.protocol import CaseScores, Entry, Protocol, Rows
from xbench.interfaces.recipe import Recipe
from xbench.interfaces.resampling import Resampling
from xbench.interfaces.training import Training
from xbench.interfaces.workplace import Silent, Workplace
from xbench.results.record import Record
from xbench.running.executors.local import LocalExecutor
from xbench.running.runner import RunOptions, run_benchmark
from xbench.running.storage.store import TREE, Store
from xbench.testing.workplace import tiny_workplace
from xbench.training.recipe import weights_recipe
from xbench_zoo.losses import CrossEntropy


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

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        return [Case("test", image) for image in entry.datasets["test"].ids()]

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, workplace: Workplace
    ) -> Rows:
        self.seen.extend(weakref.ref(tensor) for tensor in artefacts["weights"].tensors.values())
        gc.collect()
        self.alive.append(sum(one() is not None for one in self.seen))
        return pa.table({"case": case_column(cases), "id": [case.id for case in cases]})

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        return {label: [self._score(table)] for label, table in rows.items()}

    def _score(self, table: Rows) -> CaseScores:
        ids = table.column("id").to_numpy().astype(float)
        return CaseScores("id", "higher", case_places(table).rows, ids, headline=True)


class Listener(Silent):
    """Progress that remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def counted(tmp_path, progress=None) -> list[Record]:
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
        datasets={split: ImageSet(Greys(), split) for split in ("train", "test")},
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
    workplace = tiny_workplace(tmp_path)
    workplace.progress = progress or Silent()
    store = Store(str(tmp_path / "store"))
    gc.collect()
    gc.freeze()  # what was there before is not looked through again and again
    options = RunOptions(resampling=Resampling(resamples=10))
    return run_benchmark(benchmark, store, LocalExecutor(), workplace, options)


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


def test_rows_and_artefacts_carry_the_tree_of_their_key(tmp_path) -> None:
    record = counted(tmp_path)[0]
    shard = tmp_path / "store" / "rows" / f"{record.rows[0][0]}.parquet"
    tree = json.loads(pq.read_schema(shard).metadata[TREE])
    assert tree["protocol"]["name"] == "counting"
    assert tree["cases"] == [f"test/{number}" for number in range(8, 20)]
    assert tree["entry"]["loss"]["parameters"] == {"smoothing": 0.0}
    key = record.artefacts[0]["weights"]
    with safe_open(tmp_path / "store" / "artefacts" / "weights" / f"{key}.safetensors", "pt") as f:
        tree = json.loads(f.metadata()["tree"])
    assert tree["trains"]["classifier"]["name"] == "linear"
    assert content_key({"kind": "weights", "tree": tree}) == key


def test_a_run_says_in_one_line_that_results_are_of_another_version(tmp_path, monkeypatch) -> None:
    listener = Listener()
    first = counted(tmp_path, listener)
    (line,) = listener.lines
    assert line.startswith("nothing to train; the store has 0 of ")
    listener.lines.clear()
    monkeypatch.setattr(Counting, "version", "2")
    again = counted(tmp_path, listener)
    assert [record.key for record in first] != [record.key for record in again]
    assert listener.lines[1:] == [
        f"smoothing {smoothing}: the store has results by protocol counting 1 (now 2); "
        "they are made again"
        for smoothing in (0.0, 0.1, 0.2)
    ]
    monkeypatch.setattr(Linear, "version", "2")
    counted(tmp_path, listener)
    said = "weights: the store has results by classifier linear 1 (now 2)"
    assert any(said in line for line in listener.lines)
