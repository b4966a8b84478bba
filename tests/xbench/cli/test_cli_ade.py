"""The run on scenes that the paper describes, on a tree in the official layout, drawn."""

import pyarrow.parquet as pq
import pytest

import ade_tree
from command_line import call_script, records

pytestmark = pytest.mark.slow

SMALL = (
    "--classifier", "small-cnn",
    "-p", "transform.resize=40",
    "-p", "transform.crop=32",
    "-p", "training.epochs=2",
    "-p", "training.augmentation=batched",
    "-p", "training.optimiser=adamw",
    "-p", "training.learning_rate=0.004",
    "-p", "protocol.parts=masks",
    "-p", "protocol.ground_truth=presence",
    "-p", "protocol.images=12",
)  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Four scenes of SceneParsing-150's layout."""
    out = tmp_path_factory.mktemp("scenes")
    call_script(ade_tree, "--out", out, "--images-per-scene", 15)
    return out


def run(xbench, tree, store, *options):
    data = ("--dataset", "ade20k", "-p", f"dataset.root={tree}")
    return records(xbench("run", *data, *SMALL, *options, "--store", store, "--json"))


def test_the_run_goes_from_end_to_end_and_scores_iou(xbench, tree, tmp_path):
    found = run(xbench, tree, tmp_path, "-p", "protocol.share=0.2")
    ours = found["deliberative"]
    assert ours.cases == 12
    scores = {score.name: score.value for score in ours.scores}
    assert {f"iou@{percent}%" for percent in (10, 20, 30, 40, 50)} <= set(scores)
    assert all(value is None or 0 <= value <= 1 for value in scores.values())
    ceiling = {s.name: s.value for s in found["known parts, same pair"].scores}
    floor = {s.name: s.value for s in found["random region, same pair"].scores}
    assert ceiling["average iou"] > max(scores["average iou"], floor["average iou"])
    rows = [pq.read_table(path) for path in tmp_path.rglob("rows/*.parquet")]
    assert rows
    for table in rows:
        assert len(table["iou"][0]) == 90
        assert max(table["ambiguous_parts"].to_pylist()) <= 6


def test_one_per_cent_of_few_triplets_is_one_triplet(xbench, tree, tmp_path):
    found = run(xbench, tree, tmp_path, "-p", "protocol.share=0.01")
    rows = [pq.read_table(path) for path in tmp_path.rglob("rows/*.parquet")]
    ambiguous = {count for table in rows for count in table["ambiguous_parts"].to_pylist()}
    assert ambiguous <= {0, 1}
    assert found["deliberative"].cases == 12


def test_points_are_refused_where_there_are_only_masks(xbench, tree, tmp_path):
    options = ("-p", f"dataset.root={tree}", "-p", "protocol.parts=points", "--store", tmp_path)
    called = xbench("run", "--dataset", "ade20k", *options)
    assert called.code == 2
    assert "PartPoints" in called.err
    assert "ade20k" in called.err


def test_maps_are_scored_in_the_masks_of_named_objects(xbench, tree, tmp_path):
    options = ("--explainer", "grad-cam", "-p", "protocol.name=pointing-game")
    parts = ("-p", 'protocol.parts=["tree", "crt screen"]')
    data = ("--dataset", "ade20k", "-p", f"dataset.root={tree}")
    small = [*SMALL[:-6], "--limit", "8", "--store", tmp_path]
    called = xbench("run", *data, *options, *parts, *small, "--json")
    scores = {score.name: score for score in records(called)["grad-cam"].scores}
    assert set(scores) == {"energy inside", "hit"}
    assert 0 < scores["hit"].n < 8
    assert scores["hit"].n + scores["hit"].n_unscored == 8


def test_verify_finds_a_damaged_label_map(xbench, tree):
    path = min((tree / "annotations").rglob("*.png"))
    other = max((tree / "annotations").rglob("*.png"))
    data = path.read_bytes()
    path.write_bytes(b"x" + other.read_bytes())
    called = xbench("data", "verify", "ade20k", "-p", f"dataset.root={tree}")
    path.write_bytes(data)
    assert called.code == 2
    assert path.name in called.out + called.err
    assert xbench("data", "verify", "ade20k", "-p", f"dataset.root={tree}").code == 0
