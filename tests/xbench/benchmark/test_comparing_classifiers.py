"""Benchmarks that compare classifiers: no explainer, several test sets, scores of a set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pyarrow as pa
import pytest
import torch
from matplotlib.figure import Figure

from small_datasets import Greys
from small_networks import Linear
from xbench.benchmark.assembly import Benchmark, assemble
from xbench.benchmark.declaration import adjust, benchmark_folder, choose, read
from xbench.benchmark.lines import Line
from xbench.components.registry import Registry
from xbench.errors import MismatchError, ParameterError, UnknownNameError
from xbench.interfaces.data.case import Case, case_column, case_places
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.protocol import CaseScores, Drawing, Entry, Protocol
from xbench.interfaces.resampling import Resampling
from xbench.interfaces.training import Training
from xbench.interfaces.workplace import Silent
from xbench.reports.report import Run, write_report
from xbench.results.tables import heading
from xbench.running.executors.local import LocalExecutor
from xbench.running.runner import RunOptions, run_benchmark
from xbench.running.storage.store import Store
from xbench.testing.workplace import tiny_workplace
from xbench.training.recipe import weights_recipe
from xbench_zoo.losses import CrossEntropy


@dataclass(frozen=True)
class MostSure(Protocol):
    """Which entry gives the first class the highest probability, over all test sets."""

    name: ClassVar[str] = "most-sure"
    scores: ClassVar[None] = None
    relative: ClassVar[bool] = True

    def needs(self):
        return ()

    def artefacts(self, entry):
        return {"weights": weights_recipe(entry)}

    def edition(self, entry):
        return f"of{len(entry.datasets)}"

    def cases(self, entry, artefacts):
        return [Case(role, i) for role in ("test", "shifted") for i in entry.datasets[role].ids()]

    def evaluate(self, entry, cases, artefacts, workplace):
        network = workplace.network(entry.classifier, artefacts["weights"])
        images = [entry.datasets[case.role].batch([case.id]).images for case in cases]
        sure = network.logits(torch.cat(images)).softmax(1)[:, 0]
        return pa.table({"case": case_column(cases), "sure": sure.tolist()})

    def summarise(self, rows: Mapping[str, pa.Table]) -> Mapping[str, Sequence[CaseScores]]:
        best = max(max(table.column("sure").to_pylist()) for table in rows.values())
        return {label: [self._score(table, best)] for label, table in rows.items()}

    def _score(self, table, best):
        names, sure = case_places(table).rows, table.column("sure").to_numpy()
        return CaseScores("as sure as the surest", "higher", names, sure / best, headline=True)

    def pictures(self, entries, rows, artefacts, workplace):
        sizes = [len(rows[label]) for label in entries]
        kinds = {artefacts[label]["weights"].facts["kind"] for label in entries}
        return {"sizes": Drawing(Figure(figsize=(2, 1)), f"{sizes} {kinds}", "caption", "text")}


def line(label, seed, role="entry"):
    return Line(label, role, None, Linear(), CrossEntropy(seed / 10), Training(epochs=0))


def benchmark(*labels):
    roles = {"floor": "floor"}
    lines = tuple(
        line(label, place, roles.get(label, "entry")) for place, label in enumerate(labels)
    )
    return Benchmark(
        name="comparing",
        version="1",
        title="Who is surest",
        protocol=MostSure(),
        datasets={
            "train": ImageSet(Greys(6), "train"),
            "test": ImageSet(Greys(6), "test"),
            "shifted": ImageSet(Greys(6, 100), "test"),
        },
        classifier=Linear(),
        loss=CrossEntropy(),
        training=Training(epochs=0),
        lines=lines,
        contrasts=(),
        seed=0,
        repeats=1,
    )


def records(tmp_path, *labels):
    store = Store(str(tmp_path / "store"))
    workplace = tiny_workplace(tmp_path)
    made = benchmark(*labels)
    plan = Resampling(resamples=20)
    return (
        made,
        run_benchmark(made, store, LocalExecutor(), workplace, RunOptions(resampling=plan)),
        store,
        workplace,
    )


def test_entries_without_an_explainer_run_and_are_recorded_without_one(tmp_path):
    made, (record,), *_ = records(tmp_path, "one")
    assert "explainer" not in record.components
    assert record.cases == 12
    assert "12 images," in heading(made, [record])[1]


def test_what_is_not_as_the_file_has_it_is_said_by_the_run_and_above_the_results(tmp_path):
    class Heard(Silent):
        lines: ClassVar[list[str]] = []

        def say(self, line):
            self.lines.append(line)

    made = replace(benchmark("one"), remarks=("left out: two",))
    workplace = tiny_workplace(tmp_path)
    workplace.progress = Heard()
    store, plan = Store(str(tmp_path / "store")), Resampling(resamples=20)
    found = run_benchmark(made, store, LocalExecutor(), workplace, RunOptions(resampling=plan))
    assert Heard.lines[0] == "left out: two"
    assert heading(made, found)[2] == "left out: two"


def test_a_record_says_which_set_its_scores_depend_on(tmp_path):
    _, (alone,), *_ = records(tmp_path, "one")
    _, (one, two), *_ = records(tmp_path, "one", "two")
    _, (again, _other), *_ = records(tmp_path, "one", "two")
    assert one.compared_set == two.compared_set == again.compared_set
    assert alone.compared_set != one.compared_set
    assert alone.key != one.key
    assert alone.rows == one.rows  # nothing was evaluated again


@pytest.mark.parametrize(("limit", "cases"), [(4, 4), (12, 12), (13, 12)])
def test_a_limit_takes_the_cases_that_the_protocol_says(tmp_path, monkeypatch, limit, cases):
    store = Store(str(tmp_path / "store"))
    workplace = tiny_workplace(tmp_path)
    plan = Resampling(resamples=20)
    monkeypatch.setattr(MostSure, "limited", lambda self, entry, cases, limit: cases[-limit:])
    made = run_benchmark(
        benchmark("one"), store, LocalExecutor(), workplace, RunOptions(limit, plan)
    )
    assert (made[0].cases, made[0].limited_to) == (cases, limit)
    rows = pa.concat_tables([store.rows(key) for key in made[0].rows[0]])
    every = [*(f"test/{n}" for n in range(8, 14)), *(f"shifted/{n}" for n in range(8, 14))]
    assert rows.column("case").to_pylist() == every[-limit:]


def test_a_floor_has_no_part_in_what_entries_get(tmp_path):
    _, (one, two), *_ = records(tmp_path, "one", "two")
    _, (again, other, floor), *_ = records(tmp_path, "one", "two", "floor")
    assert (again.scores, other.scores) == (one.scores, two.scores)
    assert again.compared_set == one.compared_set == floor.compared_set
    assert floor.scores[0].value > 0


def test_the_protocols_edition_is_a_part_of_the_version(tmp_path):
    made, (record,), *_ = records(tmp_path, "one")
    assert record.benchmark_version == "1+of3"
    assert "comparing 1+of3" in heading(made, [record])[1]


def test_a_report_shows_what_the_protocol_draws_of_images_and_networks(tmp_path):
    made, found, store, workplace = records(tmp_path, "one", "two")
    page = write_report(Run(made, found, store, workplace, "xbench run"), tmp_path / "page", 3)
    text = page.read_text()
    assert "[12, 12] {&#39;weights&#39;}" in text
    assert (page.parent / "sizes.png").is_file()
    assert "Explanations by" not in text
    assert '<th scope="col">Loss</th>' in text
    assert '<th scope="col">Explainer</th>' not in text
    assert "shifted: test" in text


def test_an_explainer_that_is_not_there_is_named_where_it_is_needed():
    made = benchmark("one")
    entry: Entry = next(made.entries(made.lines[0]))
    assert entry.tree()["explainer"] is None
    with pytest.raises(MismatchError, match="entry 'one' has no explainer, and needs one here"):
        _ = entry.required_explainer


@pytest.fixture
def registry():
    return Registry(third_party=False)


@pytest.fixture
def tree():
    """The default benchmark with an entry that has no explainer."""
    tree = read(benchmark_folder() / "default.toml")
    return {**tree, "entries": [{"label": "plain"}], "contrasts": []}


def test_entries_without_explainers_need_a_protocol_that_compares_classifiers(tree, registry):
    comparing = {**tree, "protocol": {"name": "explicability"}}
    assert assemble(comparing, registry).protocol.scores is None
    with pytest.raises(MismatchError) as caught:
        assemble(tree, registry)
    assert str(caught.value) == (
        "protocol 'part-ambiguity' scores insecurities, but no entry has an explainer that makes "
        "them; protocols that need none compare classifiers"
    )


def test_a_parameter_of_an_explainer_that_no_entry_has_is_an_error(tree):
    with pytest.raises(ParameterError, match="explainer: no entry of this benchmark has one"):
        adjust(tree, {"explainer": {"top": 3}})


def test_a_table_of_splits_names_another_dataset_for_a_further_test_set(tree, registry):
    further = {"dataset": {"name": "toybirds", "seed": 9}, "split": "shifted"}
    tree = {**tree, "splits": {**tree["splits"], "drawn anew": further}}
    made = assemble(tree, registry, scored=False)
    assert list(made.datasets) == ["train", "test", "drawn anew"]
    assert made.datasets["drawn anew"].split == "shifted"
    assert made.datasets["drawn anew"].dataset.seed == 9
    assert replace(made.datasets["test"].dataset, seed=9) == made.datasets["drawn anew"].dataset


def test_the_splits_of_training_and_testing_are_of_the_benchmarks_own_dataset(tree, registry):
    tree = {**tree, "splits": {"train": "train", "test": {"dataset": "toybirds"}}}
    with pytest.raises(ParameterError, match=r"splits\.test: expected a split's name, got"):
        assemble(tree, registry, scored=False)


def test_further_test_sets_are_not_kept_for_another_dataset(tree):
    tree = {**tree, "splits": {**tree["splits"], "more": {"dataset": "toybirds"}, "own": "shifted"}}
    assert set(choose(tree, dataset="cub200")["splits"]) == {"train", "test"}


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (3, ParameterError, "splits.more: expected a split's name, or a table with a dataset"),
        ({"split": "test"}, ParameterError, "splits.more: expected a split's name, or a table"),
        ({"dataset": "toybirds", "splt": "test"}, UnknownNameError, "did you mean 'split'"),
        ({"dataset": "toybrds"}, UnknownNameError, "did you mean 'toybirds'"),
    ],
)
def test_a_wrong_further_test_set_is_named(tree, registry, given, error, said):
    tree = {**tree, "splits": {**tree["splits"], "more": given}}
    with pytest.raises(error, match=said):
        assemble(tree, registry, scored=False)
