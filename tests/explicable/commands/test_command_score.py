"""Predictions are scored against each other on the command line."""

from pathlib import Path

import numpy as np
import pytest

from xbench import Store, case_scores, read_record
from xbench_explicable.commands.score import command
from xbench_explicable.protocol.summary import notes_by_label
from xbench_toybirds.dataset import Toybirds

BIRDS = Toybirds(train=20, test=60)
QUICK = ("-p", "dataset.train=20", "-p", "dataset.test=60")
NEAR = ("-p", "similarity.name=hierarchy")


@pytest.fixture
def store(tmp_path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def score(store, invoked):
    """Calls `xbench score` with these arguments, and the test's own store."""

    def call(*arguments, near=NEAR):
        given = [*map(str, arguments), *QUICK, *near, "--store", str(store)]
        return invoked(command, given)

    return call


@pytest.fixture
def labels() -> np.ndarray:
    return BIRDS.labels(BIRDS.ids("test")).numpy()


@pytest.fixture
def files(tmp_path, labels) -> list[Path]:
    """Three networks: one mostly right, one sure of what is right next to it, one at random."""
    source, classes = np.random.default_rng(0), len(BIRDS.class_names())
    lost = source.random(60) < 0.7
    near = (labels + lost) % classes
    made = [tmp_path / name for name in ("near.npy", "sure.npz", "random.npz")]
    np.save(made[0], near)
    sure = 0.8 * np.eye(classes)[near] + 0.2 / classes
    np.savez(made[1], probabilities=sure[::-1], ids=np.array(BIRDS.ids("test"))[::-1])
    np.savez(made[2], predicted=source.integers(0, classes, 60), labels=labels)
    return made


def test_tables_counts_and_pairs_are_printed(score, files, labels) -> None:
    ended = score(*files)
    assert ended.error is None
    lines = ended.out.splitlines()
    assert lines[0] == "Predictions for toybirds, split test"
    assert "60 images, 1 repeat" in lines[1]
    near, random = np.load(files[0]), np.load(files[2])["predicted"]
    lost = (near != labels) & (random != labels)
    common, same = int(lost.sum()), int((lost & (near == random)).sum())
    title = f"# Points in the {common} images that all get wrong, {same} as the same class"
    assert title in lines
    assert "# Mistakes of two, where both are wrong, in per cent" in lines
    both = int((near != labels).sum())
    assert f"near beside sure\t{both}\t100.0\t0.0\t0.0\t0.0" in lines
    assert lines[-1] == (
        f"{files[0]}: has neither ids nor labels; its order was taken for the split's"
    )
    assert sum("order was taken" in line for line in lines) == 1


def test_records_say_which_file_and_what_was_compared(score, files, store) -> None:
    records = [read_record(one) for one in score(*files, "--json").json()]
    assert [record.label for record in records] == ["near", "sure", "random"]
    assert {record.benchmark for record in records} == {"predictions"}
    assert {record.cases for record in records} == {60}
    assert len({record.compared_set for record in records}) == 1
    assert records[0].compared_set is not None
    names = [record.components["predictions"]["file"] for record in records]
    assert names == ["near.npy", "sure.npz", "random.npz"]
    orders = [record.components["predictions"]["order"] for record in records]
    assert orders == ["assumed", "ids", "labels"]
    for record in records:
        assert list(record.components) == ["predictions"]
        assert len(record.components["predictions"]["sha256"]) == 64
        assert record.benchmark_version.startswith("1+")
        assert record.seeds == []
    stored = [path.name for path in (store / "records" / "predictions").iterdir()]
    assert sorted(stored) == sorted(f"{record.label}-{record.key[:12]}.json" for record in records)


def test_scores_can_be_made_again_from_stored_rows(score, files, store) -> None:
    records = [read_record(one) for one in score(*files, "--json").json()]
    rows = {record.label: Store(str(store)).rows(record.rows[0][0]) for record in records}
    again = notes_by_label(rows)
    for record in records:
        assert record.notes["sets"] == again[record.label]["sets"]


def test_adding_a_file_changes_the_set_but_not_the_rows(score, files) -> None:
    two = score(*files[1:], "--json").json()
    three = score(*files, "--json").json()
    assert two[0]["rows"] == three[1]["rows"]
    assert two[0]["compared_set"] != three[1]["compared_set"]
    assert two[0]["key"] != three[1]["key"]
    before, after = (of["notes"]["sets"]["test"]["soft"][0] for of in (two[0], three[1]))
    assert after < before


def test_probabilities_reach_the_rows(score, files, store) -> None:
    sure = read_record(score(files[1], "--json").json()[0])
    rows = Store(str(store)).rows(sure.rows[0][0])
    classes = len(BIRDS.class_names())
    np.testing.assert_allclose(rows.column("probability").to_numpy(), 0.8 + 0.2 / classes)


def test_labels_name_files_and_are_asked_for_where_names_clash(score, files, tmp_path) -> None:
    ended = score(*files[:2], "--label", "a", "--label", "b", "--json")
    assert [one["label"] for one in ended.json()] == ["a", "b"]
    twin = tmp_path / "other" / "near.npy"
    twin.parent.mkdir()
    twin.write_bytes(files[0].read_bytes())
    error = score(files[0], twin).error
    assert str(error) == "two files are called 'near'; tell them apart with --label"
    error = score(*files[:2], "--label", "a", "--label", " ").error
    assert str(error) == "a label is empty; tables need a name for each file"
    error = score(*files, "--label", "a").error
    assert str(error) == "1 labels for 3 files; give one for each"
    assert error.exit_code == 2


def test_a_similarity_is_asked_for_with_those_there_are(score, files) -> None:
    error = score(*files, near=()).error
    assert error.exit_code == 2
    assert "choose a similarity with -p similarity.name=NAME (" in str(error)
    assert "ekl, hierarchy, ihl, " in str(error)
    error = score(*files, near=("-p", "similarity.name=hierachy")).error
    assert "unknown similarity 'hierachy'; did you mean 'hierarchy'?" in str(error)


def test_distances_are_measured_where_a_hierarchy_is_named(score, files) -> None:
    plain = score(*files, "--json").json()[0]
    measured = score(*files, "-p", "hierarchy=dataset", "--json").json()[0]
    names = [{one["name"] for one in record["scores"]} for record in (plain, measured)]
    assert names[1] - names[0] == {
        "distance of common mistakes@test",
        "distance of own mistakes@test",
    }


def test_a_table_says_which_nouns_distances_are_those_of(score, files, tmp_path) -> None:
    table = tmp_path / "synsets.csv"
    nouns = ["cat.n.01", "dog.n.01", "truck.n.01", "ship.n.01"] * 5
    rows = [f"{name},{noun}" for name, noun in zip(BIRDS.class_names(), nouns, strict=True)]
    table.write_text("\n".join(["class,synset", *rows]))
    chosen = ("-p", "hierarchy=wordnet", "-p", f"synsets={table}", "--json")
    assert "no noun for" in str(score(*files, *chosen[:2]).error)
    before = score(*files, *chosen).json()[0]
    assert "distance of own mistakes@test" in {one["name"] for one in before["scores"]}
    table.write_text("\n".join(["class,synset", *rows]).replace("cat.n.01", "boat.n.01"))
    after = score(*files, *chosen).json()[0]
    assert after["key"] != before["key"]
    assert after["scores"] != before["scores"]


def test_a_benchmark_brings_dataset_and_similarity(score, files) -> None:
    chosen = ("--benchmark", "explicable-toybirds", "--variant", "smoke")
    ended = score(*files, *chosen, "--json", near=())
    version = ended.json()[0]["benchmark_version"]
    by_hand = score(*files, "--json", near=("-p", "similarity=hierarchy"))
    assert version == by_hand.json()[0]["benchmark_version"]
    assert ended.json()[0]["protocol"]["parameters"]["losses"] == []
    assert [one for one in ended.json()[0]["scores"] if one["name"].startswith("distance")]


def test_predictions_for_another_split_are_counted_and_kept_case_by_case(
    score, store, tmp_path
) -> None:
    images = BIRDS.ids("train")
    paths = [tmp_path / name for name in ("one.npy", "two.npy")]
    for place, path in enumerate(paths):
        np.save(path, np.full(len(images), place))
    ended = score(*paths, "--split", "train")
    assert ended.error is None
    assert "split train" in ended.out
    assert "# Mistakes of two, where both are wrong, in per cent" in ended.out.splitlines()
    record = read_record(score(*paths, "--split", "train", "--json").json()[0])
    table = Store(str(store)).scores(record.scores_file.path)
    accuracy = case_scores(table, record)[0][0]
    assert accuracy.cases.tolist() == [f"test/{image}" for image in images]


def test_predictions_for_another_split_do_not_fit(score, files) -> None:
    error = score(files[0], "--split", "train").error
    assert error.exit_code == 2
    assert str(error) == (
        f"{files[0]}: predicted is of 60 images, but split 'train' has 20; give one prediction for "
        "each, in the order of the split"
    )
    error = score(files[0], "--split", "tset").error
    assert "unknown split of dataset toybirds 'tset'; did you mean 'test'?" in str(error)


def test_nothing_is_written_where_a_file_is_wrong(score, files, store, tmp_path) -> None:
    bad = tmp_path / "bad.npy"
    np.save(bad, np.full(60, 99))
    assert "predicted[0] is 99" in str(score(files[0], bad).error)
    assert not store.exists()


def test_parameters_need_a_value(score, files) -> None:
    error = score(*files, near=("-p", "similarity")).error
    assert str(error) == "-p similarity: write it as -p component.parameter=value"


def test_one_file_alone_has_no_points(score, files) -> None:
    ended = score(files[0])
    assert ended.error is None
    assert "Points in" not in ended.out
    assert "similarity of own mistakes" in ended.out
