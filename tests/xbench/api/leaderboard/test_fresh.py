"""Images that nobody has seen."""

import pytest

from xbench import PluginError, SubmissionError, load_benchmark
from xbench.api.leaderboard.fresh import drop_sentences, with_fresh_images
from xbench.results.board.events import FreshCheck
from xbench.results.record import ScoreRecord
from xbench_toybirds.dataset import Toybirds


@pytest.fixture
def small(ran):
    return load_benchmark(str(ran.file))


def test_only_what_is_tested_changes(small):
    fresh = with_fresh_images(small, 1)
    assert fresh.datasets["train"] == small.datasets["train"]
    assert len(fresh.datasets["test"].ids()) == 60
    assert not set(fresh.datasets["test"].ids()) & set(small.datasets["test"].ids())
    weights = [[entry.weights for entry in of.entries(of.lines[0])] for of in (fresh, small)]
    assert weights[0] == weights[1]


def test_fingerprints_of_a_benchmark_are_as_before():
    images = load_benchmark("default").datasets["test"]
    assert images.tree()["fingerprint"] == "a950f862b233b2d6fa19273dfb87f90e"


def test_a_dataset_without_fresh_images_is_named(small, monkeypatch):
    monkeypatch.setattr(Toybirds, "fresh", lambda birds, seed: None)
    with pytest.raises(SubmissionError, match="'toybirds' has no images that nobody has seen"):
        with_fresh_images(small, 1)


@pytest.mark.parametrize(
    "changed", [lambda birds, seed: birds, lambda birds, seed: Toybirds(seed=seed, test=60)]
)
def test_images_that_are_not_fresh_are_refused(small, monkeypatch, changed):
    monkeypatch.setattr(Toybirds, "fresh", changed)
    with pytest.raises(PluginError, match="'toybirds' of xbench-xai gave no fresh images"):
        with_fresh_images(small, 1)


@pytest.mark.parametrize(
    ("ends", "words"),
    [((0.1, 0.3), "worse on"), ((-0.3, -0.1), "better on"), ((-0.1, 0.3), "not distinguishable")],
)
def test_a_drop_is_said_with_its_interval(ends, words):
    fields = {"name": "hits", "direction": "higher", "headline": True, "n": 9, "n_unscored": 0}
    numbers = {"value": 0.5, "low": 0.4, "high": 0.6, "deviation": 0.1}
    score = ScoreRecord(**fields, **numbers)
    low, high = ends
    drop = (low + high) / 2
    numbers = {"submitted": 0.5, "fresh": 0.5 - drop, "drop": drop, "low": low, "high": high}
    said = drop_sentences("mine", FreshCheck(seed=4, cases=9, score="hits", **numbers), score)
    assert said.startswith("On 9 new images (seed 4) 'mine' scores ")
    assert f"a drop in hits of {100 * drop:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]" in said
    assert words in said
