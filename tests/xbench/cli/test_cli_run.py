"""`xbench run` from end to end, small."""

import csv
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
        assert len(record.differences) == 2 * 6
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


def test_conclusions_come_first_and_one_table_follows_in_plain_text_when_piped(
    xbench, quick, store
):
    called = xbench("run", "--store", store, "--quiet", *quick)
    assert called.code == 0
    assert called.err == ""
    assert not {"\t", "\x1b"} & set(called.out)
    lines = called.out.splitlines()
    title, words, found = map(lines.index, (lines[0], "What the words mean", "Conclusions"))
    table = lines.index("Headline scores in per cent, with 95 % intervals")
    assert title < words < found < table
    assert any(line.startswith("- insecurity: a region of the image") for line in lines)
    for score in ("average precision", "average recall"):
        assert sum(line.startswith(f"- In {score} 'deliberative' ") for line in lines) == 1
    assert any(line.startswith("- Smallest detectable difference: ") for line in lines)
    assert lines[table + 1].split() == ["average", "precision", "average", "recall"]
    assert sum("(floor)" in line for line in lines[table:]) == 5
    assert f"7 records in {store}/records/default" in lines
    assert not any(line.endswith(".json") for line in lines)


def test_full_prints_every_table_and_path(xbench, quick, store):
    lines = xbench("run", "--store", store, "--quiet", "--full", *quick).out.splitlines()
    titles = ("precision in per cent, with 95 % intervals over images", "recall in per cent, ")
    titles += ("Differences in the headline scores in percentage points, paired by image",)
    for title in (*titles, "Where the difference comes from"):
        assert any(line.startswith(title) for line in lines)
    assert sum(line.startswith("record ") and line.endswith(".json") for line in lines) == 7
    assert any(line.startswith("deliberative − centre prior") for line in lines)


@pytest.mark.parametrize(("form", "separator"), [("tsv", "\t"), ("csv", ",")])
def test_values_are_one_table_of_all_scores_and_nothing_else(xbench, quick, store, form, separator):
    given = ("--store", store, *quick)
    records = [read_record(record) for record in xbench("run", "--json", *given).json()]
    called = xbench("run", "--format", form, *given)
    rows = list(csv.DictReader(called.out.splitlines(), delimiter=separator))
    wanted = [(record, score) for record in records for score in record.scores]
    assert len(rows) == len(wanted) == 7 * 12
    for row, (record, score) in zip(rows, wanted, strict=True):
        assert (row["entry"], row["role"], row["score"]) == (record.label, record.role, score.name)
        assert float(row["value"]) == score.value
        assert row["headline"] == str(score.headline).lower()
        assert int(row["n_unscored"]) == score.n_unscored


def test_tables_are_printed_for_papers_and_json_is_that_of_its_flag(xbench, quick, store):
    given = ("--store", store, *quick)
    markdown = xbench("run", "--format", "md", *given).out.splitlines()
    assert markdown[0] == "**Headline scores in per cent, with 95 % intervals**"
    assert markdown[2] == "|  | average precision | average recall |"
    latex = xbench("run", "--format", "latex", "--full", *given).out
    assert latex.startswith("% needs \\usepackage{booktabs}\n\\begin{table}")
    assert latex.count("\\begin{tabular}") == latex.count("\\end{tabular}") == 5
    by_format = xbench("run", "--format", "json", *given)
    assert by_format.err == ""
    flagged = xbench("run", "--json", *given).json()
    assert list(map(timeless, by_format.json())) == list(map(timeless, flagged))


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
