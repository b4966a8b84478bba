"""Answers of people that come late: what a record says until the last is there."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pytest

from small_datasets import Greys
from small_networks import Linear
from xbench.benchmark.assembly import Benchmark
from xbench.benchmark.lines import Line
from xbench.interfaces.artefact import Artefacts
from xbench.interfaces.bench import Bench
from xbench.interfaces.component import location
from xbench.interfaces.data.case import Case, case_column, case_places
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.protocol import CaseScores, Entry, Protocol, Rows
from xbench.interfaces.recipe import Recipe
from xbench.interfaces.resampling import Resampling
from xbench.interfaces.training import Training
from xbench.results.record import Record, read_record
from xbench.results.tables import awaited, tables
from xbench.running.executors.local import LocalExecutor
from xbench.running.runner import RunOptions, run_benchmark
from xbench.running.storage.store import Store
from xbench.testing.workplace import tiny_workplace
from xbench_zoo.losses import CrossEntropy

ASKED = (("person 1", 8), ("person 1", 9), ("person 2", 8), ("person 2", 9))


@dataclass(frozen=True)
class Asked(Protocol):
    """How often people were right, as far as they have answered."""

    name: ClassVar[str] = "asked"
    scores: ClassVar[None] = None
    case: ClassVar[str] = "answer"

    file: str = location()
    """A table of person,image,right."""

    def needs(self) -> tuple[()]:
        return ()

    def artefacts(self, entry: Entry) -> Mapping[str, Recipe]:
        return {}

    def answers(self) -> dict[tuple[str, int], float]:
        with Path(self.file).open(encoding="utf-8") as file:
            return {(row[0], int(row[1])): float(row[2]) for row in csv.reader(file)}

    def awaited(self, entry: Entry) -> int:
        return len(set(ASKED) - self.answers().keys())

    def cases(self, entry: Entry, artefacts: Artefacts) -> Sequence[Case]:
        return [Case("test", image, (person,)) for person, image in self.answers()]

    def evaluate(
        self, entry: Entry, cases: Sequence[Case], artefacts: Artefacts, bench: Bench
    ) -> Rows:
        answers = self.answers()
        right = [answers[case.within[0], case.id] for case in cases]
        return pa.table({"case": case_column(cases), "right": pa.array(right, pa.float64())})

    def summarise(self, rows: Mapping[str, Rows]) -> Mapping[str, Sequence[CaseScores]]:
        return {label: [self._score(table)] for label, table in rows.items()}

    def _score(self, table: Rows) -> CaseScores:
        names, values = case_places(table).rows, table.column("right").to_numpy()
        cases = [Case.parse(name) for name in names]
        images = np.array([f"{case.role}/{case.id}" for case in cases], object)
        people = np.array([case.within[0] for case in cases], object)
        clusters = images, people
        return CaseScores("right", "higher", names, values, headline=True, clusters=clusters)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text("", encoding="utf-8")
    return path


def asked(file: Path) -> tuple[Benchmark, list[Record]]:
    loss, classifier, training = CrossEntropy(), Linear(), Training(epochs=0)
    benchmark = Benchmark(
        name="asked",
        version="1",
        title="",
        protocol=Asked(str(file)),
        datasets={split: ImageSet(Greys(), split) for split in ("train", "test")},
        classifier=classifier,
        loss=loss,
        training=training,
        lines=(Line("people", "entry", None, classifier, loss, training),),
        contrasts=(),
        seed=0,
        repeats=1,
    )
    store = Store(str(file.parent / "store"))
    options = RunOptions(resampling=Resampling(resamples=20))
    return benchmark, run_benchmark(
        benchmark, store, LocalExecutor(), tiny_workplace(file.parent), options
    )


def answer(file: Path, *lines: str) -> None:
    file.write_text(file.read_text() + "".join(f"{line}\n" for line in lines), encoding="utf-8")


def test_a_record_awaits_answers_until_the_last_is_there(file) -> None:
    _, (none,) = asked(file)
    assert (none.status, none.awaited, none.cases) == ("awaiting-answers", 4, 0)
    assert (none.scores[0].value, none.scores[0].low, none.scores[0].n) == (None, None, 0)
    answer(file, "person 1,8,1", "person 2,8,0")
    _, (some,) = asked(file)
    assert (some.status, some.awaited, some.cases) == ("awaiting-answers", 2, 2)
    assert (some.scores[0].value, some.scores[0].n) == (0.5, 2)
    answer(file, "person 1,9,1", "person 2,9,1")
    _, (whole,) = asked(file)
    assert (whole.status, whole.awaited, whole.cases) == ("complete", 0, 4)
    assert whole.scores[0].value == 0.75
    assert whole.scores[0].interval == "pigeonhole bootstrap over two keys of clusters"
    assert len({record.key for record in (none, some, whole)}) == 3


def test_the_same_answers_in_another_place_give_the_same_record(file, tmp_path) -> None:
    answer(file, "person 1,8,1")
    other = tmp_path / "other"
    other.mkdir()
    moved = other / "moved.csv"
    moved.write_text(file.read_text(), encoding="utf-8")
    records = [asked(place)[1][0] for place in (file, moved)]
    plain = [record.model_dump(exclude={"times", "cost"}) for record in records]
    assert plain[0] == plain[1]
    assert str(tmp_path) not in str(plain)


def test_tables_say_what_is_still_to_come(file) -> None:
    benchmark, records = asked(file)
    assert awaited(records) == [
        "people: 4 answers of people still to come; run the same command again when more are there"
    ]
    assert tables(benchmark, records)[0].rows[0].cells == ("–",)
    answer(file, *(f"{person},{image},1" for person, image in ASKED))
    assert awaited(asked(file)[1]) == []


def test_a_record_that_awaits_answers_is_no_failure_and_can_be_read(file) -> None:
    _, (record,) = asked(file)
    assert read_record(record.model_dump()) == record
    assert record.failure is None
