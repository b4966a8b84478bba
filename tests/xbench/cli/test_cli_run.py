"""`xbench run` from end to end, small."""

import json
from hashlib import sha256

import pyarrow.parquet as pq
import pytest

from command_line import timeless
from xbench.errors import StoreFullError
from xbench.interfaces.resampling import Resampling
from xbench.results.record import read_record, read_record_file
from xbench.results.score_records import score_records
from xbench.results.scores_file import case_scores
from xbench.results.statistics import Draws
from xbench.running.storage.store import FACTS, Store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store that the tests of this module share, so that they train once."""
    return tmp_path_factory.mktemp("store")


def test_a_run_scores_every_entry_and_stores_a_valid_record_of_each(xbench, quick, store):
    called = xbench("run", "--store", store, "--json", *quick)
    assert called.code == 0, called.err
    records = [read_record(record) for record in called.json()]
    assert [record.role for record in records] == ["entry", "ceiling", *["floor"] * 5]
    names = {score.name for score in records[0].scores}
    coverages = (10, 20, 30, 40, 50)
    assert names.issuperset(f"{m}@{c}%" for m in ("precision", "recall") for c in coverages)
    for record in records:
        assert record.cases == 24
        assert len(record.differences) == 6
        assert all(difference.paired for difference in record.differences)
        assert record.cost.passes["bottom_forward"] > 0
    files = sorted((store / "records" / "default").glob("*.json"))
    stored = [read_record_file(path) for path in files]
    assert {record.key for record in records} == {record.key for record in stored}


def test_scores_lie_case_by_case_beside_each_record(xbench, quick, store):
    for record in map(read_record, xbench("run", "--store", store, "--json", *quick).json()):
        path = record.scores_file.path
        assert path == f"scores/{record.key}.parquet"
        assert sha256((store / path).read_bytes()).hexdigest() == record.scores_file.sha256
        table, intervals = Store(str(store)).scores(path), record.intervals
        draws = Draws(Resampling(intervals.level, intervals.resamples, intervals.seed))
        assert score_records(case_scores(table, record), draws) == record.scores


def test_the_same_command_again_makes_nothing_anew_and_gives_the_same_record(xbench, quick, store):
    first = xbench("run", "--store", store, "--json", *quick).json()
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")}
    second = xbench("run", "--store", store, "--json", *quick).json()
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*.parquet")} == before
    assert [{**r, "times": r["times"]["seconds"]} for r in first] == [
        {**r, "times": r["times"]["seconds"]} for r in second
    ]


def test_a_damaged_shard_is_made_again_and_the_record_is_the_same(xbench, quick, store):
    first = xbench("run", "--store", store, "--json", *quick).json()
    shard = min(store.rglob("*.parquet"))
    shard.write_bytes(shard.read_bytes()[:100])
    called = xbench("run", "--store", store, *quick)
    second = xbench("run", "--store", store, "--json", *quick).json()
    assert called.err.count("damaged rows in store") == 1
    assert f"made again: rows/{shard.name}" in called.err
    assert pq.read_table(shard).schema.metadata[FACTS]
    assert list(map(timeless, first)) == list(map(timeless, second))


def test_results_do_not_depend_on_the_batch_size(xbench, quick, store, tmp_path):
    first = xbench("run", "--store", store, "--json", *quick).json()
    for path in (store / "artefacts").rglob("*"):
        if path.is_file():
            target = tmp_path / path.relative_to(store)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    second = xbench("run", "--store", tmp_path, "--json", "--batch-size", 7, *quick).json()
    for one, other in zip(first, second, strict=True):
        for score, same in zip(one["scores"], other["scores"], strict=True):
            assert score["value"] == pytest.approx(same["value"], abs=1e-3)


def test_tables_are_printed_plainly_when_piped(xbench, quick, store):
    called = xbench("run", "--store", store, "--quiet", *quick)
    assert called.code == 0
    assert called.err == ""
    lines = called.out.splitlines()
    heads = [line for line in lines if line.startswith("# ")]
    assert any(line.startswith("# precision in per cent, with 95 % intervals") for line in heads)
    assert any(line.startswith("# Where the difference comes from") for line in heads)
    rows = [line.split("\t") for line in lines if line.startswith("deliberative\t")]
    assert [len(row) for row in rows] == [7, 7]  # precision and recall: average, 10…50 %
    assert all("–" in cell for row in rows for cell in row[1:])
    assert not any("\x1b" in line for line in lines)


def test_parameters_reach_the_entry_and_its_floors(xbench, quick, store):
    changed = ("-p", "explainer.difficulty=hesitancy")
    records = xbench("run", "--store", store, "--json", *quick, *changed).json()
    by_label = {record["label"]: record["components"]["explainer"] for record in records}
    entry = by_label["deliberative"]["parameters"]
    floor = by_label["random region, same pair"]["parameters"]["of"]["parameters"]
    assert entry["difficulty"]["name"] == floor["difficulty"]["name"] == "hesitancy"


def test_repeats_train_anew_and_give_a_deviation(xbench, quick, tmp_path):
    records = xbench("run", "--store", tmp_path, "--repeats", 2, "--json", *quick).json()
    weights = {artefacts["weights"] for artefacts in records[0]["artefacts"]}
    states = {
        facts["state"] for facts in records[0]["artefact_facts"] if facts["kind"] == "weights"
    }
    assert len(weights) == len(states) == 2
    assert records[0]["seeds"] == [0, 1]
    assert all(
        score["deviation"] is not None for score in records[0]["scores"] if score["headline"]
    )


def test_limit_explains_fewer_images_and_says_so(xbench, quick, store):
    records = xbench("run", "--store", store, "--limit", 5, "--json", *quick).json()
    assert {(record["cases"], record["limited_to"]) for record in records} == {(5, 5)}


def test_a_full_disk_gives_one_line_and_exit_code_1(xbench, quick, tmp_path, monkeypatch):
    def full(self, key, rows):
        raise StoreFullError(f"no space left in store {self.url!r}; what was finished is kept")

    monkeypatch.setattr(Store, "put_rows", full)
    called = xbench("run", "--store", tmp_path, "--quiet", *quick)
    assert called.code == 1
    assert called.err.startswith("error: no space left in store")
    assert called.err.count("\n") == 1


def test_records_hold_their_provenance(xbench, quick, store):
    record = xbench("run", "--store", store, "--json", *quick).json()[0]
    assert record["packages"]["torch"]
    assert record["device"] == "cpu"
    assert record["datasets"]["test"]["fingerprint"]
    explainer = record["components"]["explainer"]
    assert explainer["distribution"] == "xbench-xai"
    assert explainer["version"]
    assert {facts["kind"] for facts in record["artefact_facts"]}.issuperset({"weights"})
    assert record["rows"][0]
    ((weights,),) = record["weights"]
    assert weights["key"] == record["artefacts"][0]["weights"]
    assert weights["state"]
    assert record["threads"] == {"training": [1], "evaluation": [1]}
    assert len(record["batch_sizes"]) == 1
    assert [score["name"] for score in record["scores"] if score["ranking"]] == [
        "average precision"
    ]
    assert json.dumps(record, allow_nan=False)
