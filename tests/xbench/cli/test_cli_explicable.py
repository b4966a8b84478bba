"""Benchmarks that compare losses, from the command line to their records."""

import shutil

import numpy as np
import pytest

from command_line import records, score
from xbench.benchmark.declaration import benchmark_folder

TINY = ("-p", "dataset.train=160", "-p", "dataset.test=40", "-p", "dataset.shifted=30")
RISES = "average rises towards far"
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


@pytest.mark.slow
def test_losses_are_compared_on_drawn_birds_without_a_download(xbench, tmp_path):
    given = ("--benchmark", "explicable-toybirds", "--variant", "smoke", *TINY)
    page = tmp_path / "page"
    found = records(xbench("run", *given, "-q", "--json", "--store", tmp_path, "--report", page))
    assert list(found) == ["cross-entropy", "weighted by genus"]
    assert len({record.compared_set for record in found.values()}) == 1
    assert all(record.cases == 70 for record in found.values())
    for name in ("test", "shifted"):
        soft = [score(record, f"soft score@{name}") for record in found.values()]
        assert sum(one.value for one in soft) == pytest.approx(1)
        assert len({one.n for one in soft}) == 1
        for record in found.values():
            assert score(record, f"hard score@{name}").value <= 1
            assert score(record, f"similarity of common mistakes@{name}").headline
    text = (page / "index.html").read_text()
    assert "weighted(similarity=hierarchy" in text
    for stem in ("explicability", "confusion-1", "confusion-2", "explicability-pairs"):
        assert (page / f"{stem}.png").is_file()


@pytest.mark.slow
def test_another_entry_changes_the_scores_of_the_others_and_evaluates_only_itself(xbench, tmp_path):
    given = ("--variant", "smoke", *TINY, "-q", "--json", "--store", tmp_path)
    before = records(xbench("run", "--benchmark", "explicable-toybirds", *given))
    for name in ("default", "explicable-toybirds"):
        shutil.copy(benchmark_folder() / f"{name}.toml", tmp_path)
    more = tmp_path / "explicable-toybirds.toml"
    third = '[[variants.smoke.entries]]\nlabel = "smoothed"\n'
    third += 'loss = { name = "cross-entropy", smoothing = 0.2 }\n'
    more.write_text(more.read_text() + third)
    after = records(xbench("run", "--benchmark", more, *given))
    assert list(after) == [*before, "smoothed"]
    for label, record in before.items():
        assert after[label].rows == record.rows
        assert after[label].compared_set != record.compared_set
        assert after[label].key != record.key


def test_simulated_losses_say_what_the_lemmas_say(xbench, tmp_path):
    given = ("--benchmark", "explicable-lemmas", "-q", "--json", "--store", tmp_path)
    found = records(xbench("run", *given))
    near, _, _, plain = found
    assert score(found[near], RISES).value > score(found[plain], RISES).value


@pytest.fixture
def packed(tmp_path):
    """Drawn images of ten classes, packed as CIFAR-10 may be."""
    drawn = np.random.default_rng(0)
    for split, count in (("train", 40), ("test", 30)):
        images = drawn.integers(0, 256, (count, 32, 32, 3)).astype(np.uint8)
        labels = np.arange(count) % 10
        np.savez(tmp_path / f"{split}_jpeg.npz", images=images, labels=labels)
    for name in ("default", "explicable-cifar10"):
        shutil.copy(benchmark_folder() / f"{name}.toml", tmp_path)
    return tmp_path


OWN = """
extends = "explicable-cifar10"
name = "own"
version = "1"
dataset = {{ name = "packed", root = "{root}", classes = {classes}, files = {files} }}
classifier = {{ name = "cifar-resnet", depth = 8 }}
training = {{ epochs = 1, batch_size = 16 }}
repeats = 1

[protocol]
similarity = "ekl"
losses = ["cross-entropy"]

[[entries]]
label = "CCE"

[[entries]]
label = "EKL"
loss = {{ name = "weighted", similarity = "ekl", preset = "softmax" }}
"""


@pytest.mark.slow
def test_the_benchmark_of_small_photographs_runs_on_packed_images(xbench, packed):
    files = ["train=train_jpeg.npz", "test=test_jpeg.npz"]
    (packed / "own.toml").write_text(OWN.format(root=packed, classes=CLASSES, files=files))
    given = ("--benchmark", packed / "own.toml", "-q", "--json", "--store", packed / "store")
    found = records(xbench("run", *given))
    assert list(found) == ["CCE", "EKL"]
    assert found["CCE"].notes["labels_needed"] == 0
    assert score(found["EKL"], "accuracy@test").n == 30


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_photographs_that_are_not_there_are_named_with_the_way_to_get_them(xbench, tmp_path, name):
    given = ("--benchmark", f"explicable-{name}", "--store", tmp_path / "store")
    called = xbench("run", *given)
    assert called.code == 2
    assert f"xbench data get {name}" in called.err
    assert not (tmp_path / "store").exists()
