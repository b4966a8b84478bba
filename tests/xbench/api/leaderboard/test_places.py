"""Submissions to benchmarks on real data: where it lies can be said, and nothing else."""

import shutil
from datetime import date
from types import SimpleNamespace

import pyarrow as pa
import pytest

from photo_boards import PHOTOS, photo_board, weights_file
from small_boards import altered
from xbench import (
    Checks,
    DatasetError,
    ParameterError,
    SubmissionError,
    UsageError,
    WeightsError,
    add_submission,
    check_submission,
    run,
    submit,
)
from xbench.api.leaderboard.places import placed, places
from xbench.benchmark.declaration import benchmark_folder, declared
from xbench.components.registry import installed
from xbench.results.board.folder import read_submission
from xbench.results.board.history import entries, history

ON = date(2026, 5, 1)
IMAGES = "images unchecked: dataset 'folder' is not here"
WEIGHTS = "weights unchecked: the record's network has weights from a file, and the benchmark the"


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """The benchmark of photographs where it was run, and the submission of its entry."""
    folder = tmp_path_factory.mktemp("photos")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XBENCH_HOME", str(folder / "home"))
        of, store = photo_board(folder), folder / "store"
        run(str(of.file), parameters=of.tree, store=store, quiet=True)
        (mine,) = submit("1", folder / "submitted", contact="me", store=store)
    return SimpleNamespace(of=of, mine=mine, **of._asdict())


def checked(photos, folder=None, places=None, **asked):
    given = photos.of.tree if places is None else places
    file = asked.pop("file", photos.file)
    return check_submission(
        folder or photos.mine, benchmark_file=file, places=given, quiet=True, **asked
    )


def refused(photos, message, error=SubmissionError, **asked):
    with pytest.raises(error, match=message):
        checked(photos, **asked)


def test_with_the_data_all_is_checked_and_the_entry_runs_again(photos):
    found = checked(photos, rerun=2)
    assert not found.unchecked
    assert len(found.lines) == 2
    (score,) = found.rerun.scores
    assert score.submitted == score.again


def test_without_the_data_all_else_is_checked_and_the_way_out_is_told(photos):
    images, weights = checked(photos, places={}).lines[1:]
    assert images == f"largest-margin: {IMAGES}; say where it lies: -p dataset.of.root=…"
    assert weights.startswith(f"largest-margin: {WEIGHTS} library's; say which file these are: -p")
    assert weights.endswith(" -p classifier.weights=FILE")
    of_file = {"classifier": photos.of.tree["classifier"]}
    images, weights = checked(photos, places=of_file).unchecked
    assert images.what == "images"
    assert weights.reason == "they cannot be compared where the images are not here"
    nowhere = checked(photos, places={"dataset": {"of": {"root": "/nowhere"}}})
    assert f"{IMAGES} (there is no /nowhere); say where" in nowhere.lines[1]


def test_data_is_known_by_the_dataset_wherever_it_stands(photos):
    root = {"folder": {"root": str(photos.root)}}
    (weights,) = checked(photos, places={"defaults": {"dataset": root}}).unchecked
    assert weights.what == "weights"


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("protocol.steps", {"protocol": {"steps": 3}}),
        ("dataset", {"dataset": "toybirds"}),
        ("dataset.name", {"dataset": {"name": "toybirds"}}),
        ("dataset.of", {"dataset": {"of": "cub200"}}),
        ("dataset.share", {"dataset": {"share": 0.2}}),
        ("explainer.bank", {"explainer": {"bank": "FILE"}}),
        ("classifier.layer", {"classifier": {"layer": "stage4"}}),
        ("weights.files", {"weights": {"files": ["FILE"]}}),
        ("seed", {"seed": 3}),
        ("defaults.explainer.ces.bank", {"defaults": {"explainer": {"ces": {"bank": "FILE"}}}}),
        ("defaults.dataset.folder.fold", {"defaults": {"dataset": {"folder": {"fold": 1}}}}),
        ("defaults.dataset.nobody.root", {"defaults": {"dataset": {"nobody": {"root": "F"}}}}),
    ],
)
def test_anything_but_a_place_is_refused_with_those_that_there_are(photos, path, given):
    why = "a submission is checked against the benchmark as it is, and only where its data lies"
    ways = r"can be said: -p dataset\.of\.root=…, -p classifier\.weights=…"
    refused(photos, rf"^-p {path}: {why} {ways}$", ParameterError, places=given)


def test_a_place_that_is_none_is_refused(photos):
    for value in ("", ["a"], True):
        message = r"-p dataset\.of\.root is .*; say which folder or file: -p dataset\.of\.root=…"
        refused(photos, message, ParameterError, places={"dataset": {"of": {"root": value}}})
    message = r"-p classifier\.weights: there is no weights file '/nowhere'"
    refused(photos, message, WeightsError, places={"classifier": {"weights": "/nowhere"}})


def test_a_benchmark_whose_images_are_drawn_has_no_such_place(ran):
    message = "'small-board' has none that lies anywhere: leave -p out"
    for given in ({"dataset": {"root": "F"}}, {"classifier": {"weights": str(ran.file)}}):
        with pytest.raises(ParameterError, match=message):
            check_submission(ran.submitted / "deliberative", benchmark_file=ran.file, places=given)
    assert not check_submission(ran.submitted / "deliberative", benchmark_file=ran.file).unchecked


def test_running_again_needs_the_data_and_the_weights(photos):
    for asked in ({"rerun": 2}, {"fresh": 1}):
        message = "cannot be run again: dataset 'folder' is not here; say where it lies: -p .*, or "
        refused(photos, f"{message}leave --rerun and --fresh out", places={}, **asked)
        message = "cannot be run again: the record's network has weights from a file, .*=FILE, or "
        refused(photos, f"{message}leave --rerun", places=photos.of.data, **asked)
    refused(photos, "has no images that nobody has seen; leave --fresh out", fresh=1)


def test_other_weights_than_those_of_the_file_are_refused(photos, tmp_path):
    others = {"classifier": {"weights": str(weights_file(tmp_path / "others.npz", 7))}}
    message = "refused: the weights of its network are not those of the file; run the entry in"
    refused(photos, message, places={**photos.of.data, **others})
    copied = {"classifier": {"weights": str(weights_file(tmp_path / "copy.npz", 1))}}
    assert not checked(photos, places={**photos.of.data, **copied}).unchecked


def test_weights_that_are_the_librarys_need_no_file(photos, tmp_path):
    classifier = read_submission(photos.mine).record.components["classifier"]
    for name, weights in (("library", "library"), ("", ""), ("other", 5)):
        stated = {**classifier, "parameters": {**classifier["parameters"], "weights": weights}}
        components = {**read_submission(photos.mine).record.components, "classifier": stated}
        folder = altered(photos.mine, tmp_path / f"of {name}", components=components)
        if weights == "library":
            assert not checked(photos, folder, photos.of.data).unchecked
        else:
            message = f"its network has other weights than the benchmark's \\('{weights}'\\)"
            refused(photos, message, folder=folder, places={})


def test_another_network_is_refused_also_without_the_data(photos, tmp_path):
    components = read_submission(photos.mine).record.components
    layer = {**components["classifier"]["parameters"], "layer": "stage4"}
    cut = {**components["classifier"], "parameters": layer}
    trained = {**components["training"], "epochs": 1}
    for kind, tree, message in (
        ("classifier", cut, r"\(layer is 'stage4', not ''\)"),
        ("training", trained, r"\(epochs is 1, not 0\)"),
        ("classifier", 5, "its network is not the benchmark's"),
    ):
        changed = {**components, kind: tree}
        folder = altered(photos.mine, tmp_path / f"{kind} {message[:5]}", components=changed)
        refused(photos, message, folder=folder, places={})


LIES = {
    "split": {"split": "train"},
    "transform": {"transform": {"resize": 7, "crop": 0}},
    "dataset": {"dataset": {"name": "toybirds"}},
    "nothing": {"dataset": 5},
}


@pytest.mark.parametrize("name", LIES)
def test_images_that_the_benchmark_declares_otherwise_are_refused_without_files(
    photos, tmp_path, name
):
    datasets = read_submission(photos.mine).record.datasets
    lying = {**datasets, "test": {**datasets["test"], **LIES[name]}}
    folder = altered(photos.mine, tmp_path / name, datasets=lying)
    refused(photos, "its images of 'test' are others", folder=folder, places={})


def test_a_fingerprint_that_is_not_the_files_is_refused_where_they_are(photos, tmp_path):
    datasets = read_submission(photos.mine).record.datasets
    lying = {**datasets, "test": {**datasets["test"], "fingerprint": "f" * 32}}
    folder = altered(photos.mine, tmp_path / "lying", datasets=lying)
    refused(photos, "its images of 'test' are others", folder=folder)
    assert checked(photos, folder, places={}).unchecked[0].what == "images"


def test_names_of_cases_are_looked_at_without_files(photos, tmp_path):
    scores = read_submission(photos.mine).scores
    index, field = scores.column_names.index("case"), scores.schema.field("case")
    names = scores["case"].to_pylist()
    for place, name in enumerate(("tset/1", "5")):
        renamed = pa.array([name if of == names[0] else of for of in names], field.type)
        table = scores.set_column(index, field, renamed)
        folder = altered(photos.mine, tmp_path / str(place), table=table)
        message = f"1 cases are none of the benchmark's, such as '{name}'"
        refused(photos, message, folder=folder, places={})


def test_data_that_is_there_and_damaged_is_an_error_and_no_remark(photos, tmp_path):
    root = shutil.copytree(photos.root, tmp_path / "photos")
    shutil.rmtree(root / "test")
    shutil.rmtree(root / "train")
    refused(photos, "folder", DatasetError, places={"dataset": {"of": {"root": str(root)}}})


def test_another_version_and_protocol_are_refused_without_the_data(photos, tmp_path):
    file = tmp_path / "photo-board.toml"
    for text, by, message in (
        (
            'version = "3"',
            'version = "4"',
            "of version 3 of benchmark 'photo-board', and version 4",
        ),
        ("steps = 2", "steps = 3", r"its protocol is not the benchmark's \(steps is 2, not 3\)"),
    ):
        file.write_text(PHOTOS.replace(text, by))
        refused(photos, message, UsageError, places={}, file=file)


def test_the_mark_stays_until_the_data_was_there(photos, tmp_path):
    def add(given):
        return add_submission(photos.mine, tmp_path, on=ON, checks=Checks(**given))

    def marks():
        (entry,) = entries(tmp_path, "photo-board")
        return entry.marks

    file = {"benchmark_file": photos.file}
    assert not add(file).was_there
    assert marks() == ("images unchecked", "weights unchecked")
    message = "its images and weights unchecked, and they are not here now either; say where they"
    with pytest.raises(SubmissionError, match=message):
        add(file)
    assert add({**file, "places": photos.of.data}).was_there
    assert marks() == ("weights unchecked",)
    add({**file, "places": photos.of.tree})
    assert marks() == ()
    with pytest.raises(SubmissionError, match=r"has been added with key .* already"):
        add({**file, "places": photos.of.tree})
    events = history(tmp_path, "photo-board", "largest-margin")
    assert [event.event for event in events] == ["added", "checked", "checked"]


NONE_OF_THEIRS = "saliency-toybirds", "saliency-photographs"


def test_only_real_data_has_places(registry_of_all):
    for file in benchmark_folder().glob("*.toml"):
        if file.stem not in NONE_OF_THEIRS:
            tree = declared(file, registry=registry_of_all)
            drawn = file.stem.endswith("toybirds") or file.stem in ("default", "explicable-lemmas")
            of_data = [path for path in places(tree, registry_of_all) if "dataset" in path]
            assert bool(of_data) != drawn, file.stem


def test_places_leave_the_benchmark_as_it_is(registry_of_all):
    file = benchmark_folder() / "explicable-cifar10.toml"
    tree = declared(file, registry=registry_of_all)
    assert placed(tree, {}, registry_of_all) is tree
    root = {"dataset": {"root": "FOLDER"}}
    assert placed(tree, root, registry_of_all)["protocol"] == tree["protocol"]


@pytest.fixture(scope="module")
def registry_of_all():
    return installed()
