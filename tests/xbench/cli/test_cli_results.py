"""`xbench results`, `compare` and `export` with the store of real runs."""

import csv
import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from xbench.cli import main
from xbench.results.record import Record

QUICK = ("dataset.train=160", "dataset.test=80", "training.epochs=1", "protocol.images=24")


def ran(folder, *options):
    """What a run into this store printed."""
    parameters = [text for value in QUICK for text in ("-p", value)]
    with redirect_stdout(io.StringIO()) as printed, pytest.raises(SystemExit) as ended:
        main(["run", "-q", "--store", str(folder), *parameters, *options])
    assert not ended.value.code
    return printed.getvalue()


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """A store with two runs, the second limited, and what each printed."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XBENCH_HOME", str(folder / "home"))
        texts = [ran(folder / "store"), ran(folder / "store", "--limit", "16")]
    return folder / "store", texts


@pytest.fixture
def store(printed):
    return printed[0]


@pytest.fixture
def listed(xbench, store):
    """The runs as `--json` has them, newest first."""
    return xbench("results", "--store", store, "--json").json()


def whole(listed):
    """The run that was not limited."""
    return next(run for run in listed if run["limited_to"] is None)


def key(run, label):
    return next(of["key"] for of in run["records"] if of["entry"] == label)


def test_each_run_is_listed_once_with_its_entries_and_what_limits_it(xbench, store, listed):
    assert sorted(run["limited_to"] or 0 for run in listed) == [0, 16]
    assert [len(run["records"]) for run in listed] == [7, 7]
    lines = xbench("results", "--store", store).out.splitlines()
    rows = [dict(zip(lines[1].split("\t"), line.split("\t"), strict=True)) for line in lines[2:]]
    assert [row["entry"] for row in rows] == ["deliberative", "deliberative"]
    assert sorted(row["remarks"] for row in rows) == ["", "limited to 16"]
    assert {row["benchmark"] for row in rows} == {"default 2"}
    assert all("[" in row["value"] for row in rows)


def test_a_stored_run_is_shown_as_it_was_printed(xbench, printed, listed):
    store, (text, limited) = printed
    assert xbench("results", whole(listed)["id"], "--store", store).out == text
    other = next(run for run in listed if run["limited_to"])
    assert xbench("results", other["id"], "--store", store).out == limited
    numbers = {xbench("results", place, "--store", store).out for place in (1, 2)}
    assert numbers == {text, limited}


@pytest.mark.parametrize(
    "options", [("--full",), ("--format", "tsv"), ("--format", "md"), ("--json",)]
)
def test_a_stored_run_is_shown_in_the_forms_of_a_run(xbench, printed, listed, options):
    store, _ = printed
    text = ran(store, *options)
    called = xbench("results", whole(listed)["id"], "--store", store, *options)
    if "--json" in options:
        assert [of["key"] for of in called.json()] == [of["key"] for of in json.loads(text)]
    else:
        assert called.out == text


def test_the_list_is_printed_in_the_formats_of_a_run(xbench, store):
    called = xbench("results", "--store", store, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(called.out)))
    assert [row["run"] for row in rows] == ["1", "2"]
    assert called.err == ""


def test_a_run_is_shown_from_the_file_of_any_of_its_records(xbench, printed, listed):
    store, (text, _) = printed
    for of in whole(listed)["records"]:
        assert xbench("results", store / "records" / of["path"]).out == text


def test_a_record_away_from_its_store_is_shown_alone(xbench, store, listed, tmp_path):
    source = store / "records" / whole(listed)["records"][0]["path"]
    path = tmp_path / "alone.json"
    path.write_text(source.read_text())
    called = xbench("results", path, "--full")
    assert called.code == 0
    assert "deliberative" in called.out
    assert "Where the difference comes from" in called.out


def test_records_of_before_are_shown_with_what_they_say(xbench):
    folder = Path(__file__).parents[1] / "results" / "earlier"
    called = xbench("results", next(folder.glob("deliberative*.json")))
    assert called.code == 0
    assert "earlier version: title, variants and contrasts" in called.err


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--benchmark", "def*"), 2),
        (("--benchmark", "other"), 0),
        (("--dataset", "TOYBIRDS"), 2),
        (("--explainer", "deliberative"), 2),
        (("--explainer", "no-such"), 0),
        (("--classifier", "small-cnn"), 2),
        (("--entry", "centre"), 2),
        (("--since", "1d"), 2),
        (("--since", "2999-01-01"), 0),
    ],
)
def test_filters_leave_the_runs_that_have_a_fitting_record(xbench, store, options, count):
    assert len(xbench("results", "--store", store, "--json", *options).json()) == count


def test_what_is_not_there_is_said_with_a_way_out(xbench, store, tmp_path):
    assert "`xbench run` writes some" in xbench("results", "--store", tmp_path / "none").out
    called = xbench("results", "--store", store, "--entry", "zzz")
    assert (called.code, "leave a filter out" in called.out) == (0, True)
    for name in ("9", "abc", "ffffffffff"):
        called = xbench("results", name, "--store", store)
        assert called.code == 2
        assert called.err == f"error: no run is called '{name}' here; `xbench results` lists them\n"
    assert "--since 7d" in xbench("results", "--since", "soon").err


def test_a_damaged_record_is_named_and_the_others_are_listed(xbench, store, tmp_path):
    copy = tmp_path / "store" / "records" / "default"
    copy.mkdir(parents=True)
    sources = sorted((store / "records" / "default").glob("deliberative-*.json"))
    for source in sources:
        (copy / source.name).write_bytes(source.read_bytes())
    (copy / sources[0].name).write_text("{")
    (copy / "changed.json").write_bytes(sources[1].read_bytes())
    called = xbench("results", "--store", tmp_path / "store", "--json")
    assert len(called.json()) == 1
    assert called.json()[0]["missing"] == 6
    assert f"{sources[0].name} is left out" in called.err
    assert "changed.json was changed after it was written" in called.err


def test_a_comparison_has_the_numbers_of_the_run_that_both_are_of(xbench, store, listed):
    run = whole(listed)
    path = next(of["path"] for of in run["records"] if of["entry"] == "deliberative")
    record = Record.model_validate(json.loads((store / "records" / path).read_text()))
    assert len(record.differences) == 6 * 2  # of two headlines
    for difference in record.differences:
        compared = xbench(
            "compare", record.key, difference.minus_key, "--store", store, "--json"
        ).json()
        scores = {of["score"]: of for of in compared["scores"]}
        assert {of.name for of in record.scores} == scores.keys()
        numbers = difference.model_dump(include={"value", "low", "high", "n", "paired"})
        assert {name: scores[difference.score][name] for name in numbers} == numbers
        assert compared["warnings"] == []


def test_a_comparison_says_first_who_is_better(xbench, store, listed):
    run = whole(listed)
    entry, floor = key(run, "deliberative"), key(run, "random pair, random region")
    called = xbench("compare", floor, entry, "--store", store)
    name = "average precision"
    said = [f"In {name} 'random pair, random region' {words}" for words in ("is worse", "ties")]
    assert called.out.startswith(tuple(said))
    assert "A − B, paired by case, with 95 % intervals" in called.out


def test_a_comparison_is_printed_in_the_formats_of_a_run(xbench, store, listed):
    keys = [key(whole(listed), label) for label in ("deliberative", "random pair, random region")]
    options = ("compare", *keys, "--store", store, "--format")
    scores = xbench(*options, "json").json()["scores"]
    rows = list(csv.DictReader(io.StringIO(xbench(*options, "tsv").out), delimiter="\t"))
    assert [float(row["value"]) for row in rows] == [of["value"] for of in scores]
    assert xbench(*options, "md").out.count("\n|") == len(scores) + 2
    assert xbench(*options, "latex").out.count("\\begin{tabular}") == 1


def test_runs_of_more_and_fewer_cases_are_compared_on_those_of_both(xbench, store, listed):
    keys = [key(run, "deliberative") for run in listed]
    called = xbench("compare", *keys, "--store", store, "--json")
    assert "compared on the 16 cases of both" in called.json()["warnings"][0]
    assert {of["value"] for of in called.json()["scores"]} == {0.0}
    assert all(of["a"] == of["b"] for of in called.json()["scores"])
    assert not any(of["paired"] for of in _unpaired(xbench, store, keys))


def _unpaired(xbench, store, keys):
    return xbench("compare", *keys, "--store", store, "--unpaired", "--json").json()["scores"]


def test_entries_are_found_by_label_and_benchmark_and_in_another_store(xbench, store, listed):
    names = ("deliberative@default", "CENTRE PRIOR same-pair")
    compared = xbench("compare", *names, "--store", store, "--store-b", store, "--json").json()
    assert [compared[name]["entry"] for name in "ab"] == ["deliberative", "centre prior, same pair"]
    path = store / "records" / whole(listed)["records"][0]["path"]
    compared = xbench("compare", path, names[1], "--store-b", store, "--store", store, "--json")
    assert compared.json()["a"]["key"] == whole(listed)["records"][0]["key"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("zzz", "deliberative"), "is called 'zzz'; write LABEL, LABEL@BENCHMARK"),
        (("deliberative", "deliberative"), "they are the same record"),
        (("deliberative", "/no/record.json"), "cannot be read"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(xbench, store, names, said):
    called = xbench("compare", *names, "--store", store)
    assert called.code == 2
    assert called.err.count("\n") == 1
    assert said in called.err


def test_an_export_has_a_row_for_each_score_in_all_long_formats(xbench, store, listed, tmp_path):
    rows = list(csv.DictReader(io.StringIO(xbench("export", "--store", store).out)))
    assert len(rows) == 2 * 7 * 12
    assert {row["key"] for row in rows} == {of["key"] for run in listed for of in run["records"]}
    path = tmp_path / "new" / "results.parquet"
    assert xbench("export", "--store", store, "--out", path).code == 0
    table = pq.read_table(path)
    assert table.column_names == list(rows[0])
    assert [f"{value}" for value in table["n"].to_pylist()] == [row["n"] for row in rows]
    assert xbench("export", "--store", store, "--format", "json").json() == table.to_pylist()
    refused = xbench("export", "--store", store, "--out", path)
    assert (refused.code, "--force" in refused.err) == (2, True)
    assert xbench("export", "--store", store, "--out", path, "--force").code == 0


def test_differences_and_cases_are_exported_as_the_records_have_them(xbench, store, listed):
    run = whole(listed)["id"]
    options = ("--store", store, "--run", run, "--format", "json", "--what")
    rows = xbench("export", *options, "differences").json()
    assert len(rows) == 7 * 6 * 2
    assert {row["verdict"] for row in rows} <= {"better", "worse", "tie", "not computable"}
    cases = xbench("export", *options, "cases", "--entry", "deliberative").json()
    assert {row["entry"] for row in cases} == {"deliberative"}
    assert len(cases) == 12 * 24


@pytest.mark.parametrize("what", ["scores", "differences"])
def test_tables_for_people_are_markdown_or_latex(xbench, store, what):
    options = ("--store", store, "--what", what)
    lines = xbench("export", *options, "--format", "md").out.splitlines()[2:]
    assert lines[1].startswith("| ---")
    assert len({line.replace("\\|", "").count("|") for line in lines}) == 1
    latex = xbench("export", *options, "--format", "latex").out
    assert latex.count("\\begin{tabular}") == latex.count("\\end{tabular}") == 1
    assert "%" not in latex.replace("\\%", "").removeprefix("% needs \\usepackage")


def test_an_export_of_nothing_and_of_too_much_is_refused(xbench, store):
    assert xbench("export", "--store", store, "--entry", "zzz").code == 2
    called = xbench("export", "--store", store, "--what", "cases", "--format", "md")
    assert (called.code, "--format csv" in called.err) == (2, True)
