"""`xbench list`, `show`, `train`, `explain` and `plugins`."""

import re
from pathlib import Path

import pytest
from PIL import Image

from xbench.benchmark.contents import installed_contents
from xbench.benchmark.lines import entry_tables
from xbench.components.description import parameters
from xbench.components.registry import KINDS, installed
from xbench.components.specification import as_table


def test_list_names_every_kind_of_component(xbench):
    rows = xbench("list", "--json").json()
    assert {row["kind"] for row in rows} >= KINDS.keys() - {"kind"}


def test_list_takes_plurals_and_refuses_unknown_kinds(xbench):
    assert {row["kind"] for row in xbench("list", "datasets", "--json").json()} == {"dataset"}
    called = xbench("list", "datsets")
    assert called.code == 2
    assert "did you mean 'dataset'?" in called.err


def test_the_long_list_says_what_each_is(xbench):
    rows = xbench("list", "difficulty", "--long", "--json").json()
    assert all(row["summary"] and not row["summary"].startswith("FAILS") for row in rows)


def test_a_classifier_is_shown_with_the_layers_where_it_can_be_cut(xbench):
    shown = xbench("show", "classifier", "torchvision:squeezenet1_1", "--json").json()
    layers = {layer["layer"]: layer for layer in shown["layers"]}
    assert layers["features.12.cat"]["default"]
    assert layers["features.12.cat"]["shape"][0] == 512


def test_a_dataset_is_shown_with_its_annotations(xbench):
    shown = xbench("show", "dataset", "toybirds", "--json").json()
    assert len(shown["classes"]) >= 20
    assert "IdealObserver" in shown["annotations"]


def test_a_contact_sheet_is_drawn(xbench, tmp_path):
    path = tmp_path / "sheet.png"
    assert xbench("show", "dataset", "toybirds", "--out", path, "--per-class", 2).code == 0
    with Image.open(path) as sheet:
        assert min(sheet.size) > 300


def test_a_component_is_shown_with_its_parameters_and_who_provides_it(xbench):
    called = xbench("show", "explainer", "deliberative")
    assert "provided by xbench-xai" in called.out
    assert "difficulty: entropy" in called.out


def test_an_unknown_kind_to_show_is_refused(xbench):
    assert "did you mean 'dataset'?" in xbench("show", "datset", "toybirds").err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "is no record of schema 1 or 2: its record_schema is None"),
        ("no json", "is no JSON: Expecting value"),
        ('{"record_schema": 2, "label": 1}', "is not valid: status: Field required ("),
    ],
)
def test_a_file_that_is_no_record_is_refused(xbench, tmp_path, text, said):
    path = tmp_path / "record.json"
    path.write_text(text)
    called = xbench("show", "record", path)
    assert called.code == 2
    assert f"record {path} {said}" in called.err


def test_a_plugin_can_be_made_and_never_overwrites(xbench, tmp_path):
    assert xbench("plugins", "new", "my-score", "--out", tmp_path).code == 0
    assert (tmp_path / "my-score" / "my_score.py").is_file()
    called = xbench("plugins", "new", "my-score", "--out", tmp_path)
    assert called.code == 2
    assert "already there" in called.err
    assert xbench("plugins", "new", "My Score", "--out", tmp_path).code == 2


def test_training_and_explaining_find_the_same_weights(xbench, quick, tmp_path):
    store, out = tmp_path / "store", tmp_path / "out"
    trained = xbench("train", "--store", store, "--json", *quick)
    assert trained.code == 0, trained.err
    photo = tmp_path / "photo.png"
    Image.new("RGB", (96, 96), "green").save(photo)
    options = ("--store", store, "--out", out, "--json", *quick)
    explained = xbench("explain", photo, "--id", "2000000", *options)
    assert explained.code == 0, explained.err
    assert len(list((store / "artefacts" / "weights").glob("*.safetensors"))) == 1
    assert sorted(path.name for path in out.iterdir()) == [
        "photo.png",
        "photo.safetensors",
        "toybirds-2000000.png",
        "toybirds-2000000.safetensors",
    ]


def test_a_photo_that_does_not_decode_is_named(xbench, quick, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_text("no photo")
    called = xbench("explain", photo, "--store", tmp_path / "store", *quick)
    assert called.code == 2
    assert str(photo) in called.err
    assert not (tmp_path / "store").exists()


def test_nothing_to_explain_is_wrong_usage(xbench):
    assert "nothing to explain" in xbench("explain").err


def test_an_id_that_is_not_in_the_split_is_refused(xbench, quick):
    called = xbench("explain", "--id", "17", *quick)
    assert called.code == 2
    assert "image 17 is not in split 'test' of toybirds" in called.err


def test_a_refused_explanation_leaves_no_folder(xbench, quick, tmp_path):
    out = tmp_path / "out"
    asked = ("--explainer", "gradient", "-p", "explainer.target=77", "--id", "2000000")
    called = xbench("explain", *asked, "--store", tmp_path / "store", "--out", out, *quick)
    assert called.code == 2
    assert "target is 77, and the network has the classes 0 to 19" in called.err
    assert not out.exists()


def test_a_new_plugin_works_as_it_is(xbench, tmp_path, monkeypatch):
    from xbench.testing.conformance.suite import check_component

    xbench("plugins", "new", "my-score", "--out", tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "my-score")
    import my_score

    for component in my_score.register_difficulties():
        check_component(component())
    assert "xbench." not in Path(my_score.__file__).read_text()  # it imports public names


def test_a_dataset_made_of_another_is_described_and_shown_with_that_one(xbench):
    called = xbench("show", "dataset", "confounded")
    assert called.code == 0
    assert "of: (must be given)" in called.out
    listed = {row["dataset"]: row["state"] for row in xbench("data", "list", "--json").json()}
    assert listed["confounded"] == "made of another dataset: -p dataset.of=…"
    given = ("-p", "dataset.of=toybirds", "-p", "dataset.training_images=20")
    shown = xbench("show", "dataset", "confounded", *given, "--json").json()
    assert shown["splits"] == {"train": 400, "validation": 1000}


def test_a_classifier_is_shown_with_how_its_values_lie(xbench):
    assert "channels-last 7x7" in xbench("show", "classifier", "timm:mambaout_femto").out
    shown = xbench("show", "classifier", "timm:mambaout_femto", "--json").json()
    (default,) = [layer for layer in shown["layers"] if layer["default"]]
    assert default["arrangement"] == "channels-last 7x7"


def test_the_long_list_keeps_floors_and_ceilings_apart(xbench):
    rows = xbench("list", "explainer", "--long", "--json").json()
    roles = {row["name"]: row["role"] for row in rows}
    assert roles["deliberative"] == roles["grad-cam"] == "entry"
    assert roles["random-region"] == roles["control-model"] == "floor"
    assert roles["known-parts"] == "ceiling"
    titles = [
        line for line in xbench("list", "explainer", "--long").out.splitlines() if "#" in line
    ]
    assert [title.partition(" that")[0] for title in titles] == ["# Explainers"] * 3


def test_roles_of_explainers_are_those_that_benchmarks_give_them():
    registry = installed()
    for of in installed_contents(registry):
        for entry in entry_tables(of.tree) if of.tree else ():  # a suite has entries by its members
            if entry["role"] != "entry" and "explainer" in entry:
                name = as_table(entry["explainer"])["name"]
                assert registry.get("explainer", name).role in ("entry", entry["role"]), name


def test_the_long_list_says_what_benchmarks_compare_and_whether_they_need_data(xbench):
    rows = {row["name"]: row for row in xbench("list", "benchmark", "--long", "--json").json()}
    default = rows["default"]
    assert default["compares"] == "deliberative beside 5 floors, 1 ceiling"
    assert (default["dataset"], default["data"]) == ("toybirds", "nothing to download")
    assert rows["explicable-cifar10"]["data"].endswith("MB: xbench data get cifar10")
    assert not any(row["summary"].startswith("FAILS") for row in rows.values())


def test_each_parameter_is_shown_with_its_values_its_default_and_what_it_does(xbench):
    shown = xbench("show", "explainer", "deliberative", "--json").json()
    parameters = {of["name"]: of for of in shown["parameters"]}
    assert parameters["difficulty"]["choices"] == ["entropy", "hardness", "hesitancy"]
    assert parameters["difficulty"]["default"] == "entropy"
    assert parameters["preset"]["choices"] == ["paper", "official"]
    assert (parameters["top"]["what"], parameters["top"]["default"]) == ("a whole number", "5")
    assert parameters["candidates"]["text"].startswith("K, the number of candidate classes")
    assert "default" in shown["used_by"]
    text = xbench("show", "explainer", "deliberative").out
    assert max(map(len, text.splitlines())) <= 80
    assert "Choose it:  xbench run --explainer deliberative" in text
    assert "-p explainer.difficulty=VALUE" in text


DESCRIBED = [claim for claim in installed().claims() if claim.kind not in ("benchmark", "command")]


@pytest.mark.parametrize("claim", DESCRIBED, ids=lambda of: f"{of.kind}-{of.name}")
def test_every_parameter_of_every_component_is_described_in_words(claim):
    for of in parameters(installed().get(claim.kind, claim.name), installed(), {}):
        assert re.match(r"(a|an|one|text|true)\b", of.what), of


def test_what_must_be_given_and_what_no_benchmark_scores_is_said(xbench):
    assert "of: (must be given)" in xbench("show", "explainer", "random-region").out
    assert "no benchmark" in xbench("show", "explainer", "part-interventions").out.lower()
    assert "preset: normalised" in xbench("show", "loss", "weighted").out
    assert "It has no parameters." in xbench("show", "difficulty", "entropy").out
