"""`xbench list`, `show`, `train`, `explain` and `plugins`."""

from pathlib import Path

import pytest
from PIL import Image

from xbench.components.registry import KINDS


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
    assert "of: required" in called.out
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
