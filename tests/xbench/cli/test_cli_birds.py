"""The run that the paper describes, on official annotation files with drawn images."""

import pytest

from xbench.results.record import read_record

pytestmark = [pytest.mark.slow, pytest.mark.realdata]

SMALL = (
    "--classifier", "small-cnn",
    "-p", "transform.resize=112",
    "-p", "transform.crop=96",
    "-p", "training.epochs=2",
    "-p", "training.augmentation=batched",
    "-p", "training.optimiser=adamw",
    "-p", "training.learning_rate=0.004",
    "-p", "protocol.images=12",
)  # fmt: skip


@pytest.fixture(scope="module")
def tree(drawn_birds):
    """A tree in the official layout with six classes."""
    return drawn_birds(6, 16)


def test_the_run_of_the_paper_goes_from_end_to_end(xbench, tree, tmp_path):
    options = ("--explainer", "deliberative", "--dataset", "cub200", "-p", f"dataset.root={tree}")
    called = xbench("run", *options, *SMALL, "--store", tmp_path, "--json")
    assert called.code == 0, called.err
    records = [read_record(record) for record in called.json()]
    assert records[0].cases == 12
    assert records[0].datasets["test"]["transform"] == {"resize": 112, "crop": 96}
    by_label = {r.label: {s.name: s.value for s in r.scores} for r in records}
    ceiling = by_label["known parts, same pair"]["average precision"]
    assert ceiling > by_label["random region, same pair"]["average precision"]


def test_maps_are_scored_in_the_boxes_of_the_birds(xbench, tree, tmp_path):
    options = ("--variant", "smoke", "--explainer", "grad-cam", "-p", f"dataset.root={tree}")
    small = ("-p", "training.epochs=1", "-p", "protocol.images=8", "--store", tmp_path, "--json")
    called = xbench("run", "--benchmark", "saliency-localisation-cub200", *options, *small)
    assert called.code == 0, called.err
    found = {(r := read_record(record)).label: r for record in called.json()}
    scores = {score.name: score for score in found["grad-cam"].scores}
    assert scores["energy inside"].n == scores["hit"].n == 8
    assert 0 < scores["hit"].chance < 1


def test_verify_finds_a_damaged_image(xbench, tree):
    image = min((tree / "images").rglob("*.jpg"))
    data = image.read_bytes()
    image.write_bytes(data[:200])
    called = xbench("data", "verify", "cub200", "-p", f"dataset.root={tree}")
    image.write_bytes(data)
    assert called.code == 2
    assert image.name in called.out + called.err
    assert xbench("data", "verify", "cub200", "-p", f"dataset.root={tree}").code == 0
