"""The table of rewards and overlaps beside TorchRay's, against a loop over choices of seeds."""

import importlib
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")
FOLDER = Path(__file__).resolve().parents[3] / "benchmarks" / "analysis"
PHOTOGRAPHS, SEEDS = 5, 5


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("extremal_table")


def given(seed=3):
    """Rewards, of mirror images too, and overlaps of all pairs, with TorchRay's in place 0."""
    drawn = np.random.default_rng(seed)
    rewards, mirrored = drawn.normal(size=(2, PHOTOGRAPHS, 1 + SEEDS))
    half = drawn.random((PHOTOGRAPHS, 1 + SEEDS, 1 + SEEDS))
    return rewards, mirrored, (half + half.swapaxes(1, 2)) / 2


def slow_means(starts, seed=3):
    """Ours, TorchRay's, difference, of both images; overlaps with theirs, with ours, difference."""
    rewards, mirrored, overlaps = given(seed)
    rows = []
    for reward, other, overlap in zip(rewards, mirrored, overlaps, strict=True):
        best = {
            seeds: max(seeds, key=lambda seed: reward[seed])
            for seeds in itertools.combinations(range(1, 1 + SEEDS), starts)
        }
        ours = np.mean([reward[one] for one in best.values()])
        both = np.mean([reward[one] + other[one] for one in best.values()]) / 2
        with_theirs = np.mean([overlap[0, one] for one in best.values()])
        apart = [(a, b) for a, b in itertools.combinations(best, 2) if not set(a) & set(b)]
        own = np.mean([overlap[best[a], best[b]] for a, b in apart])
        less = both - (reward[0] + other[0]) / 2
        rows.append((ours, reward[0], ours - reward[0], less, with_theirs, own, own - with_theirs))
    return np.mean(rows, 0)


@pytest.mark.parametrize("starts", [1, 2])
def test_a_line_has_the_means_over_all_choices_of_seeds(module, starts):
    found = numbers(module.line(module.Compared(*given()), starts))
    assert found == pytest.approx(slow_means(starts).tolist(), abs=0.006)


@pytest.mark.parametrize("starts", [1, 2])
def test_differences_between_two_files_are_of_the_same_means(module, starts):
    one, other = (module.Compared(*given(seed)) for seed in (3, 4))
    found = numbers(module.difference(one, other, starts))
    less = slow_means(starts, 3) - slow_means(starts, 4)
    assert found == pytest.approx([less[0], less[4], less[5]], abs=0.006)


def numbers(text):
    """All but intervals."""
    return [float(one) for one in re.findall(r"[-+]?\d+\.\d+", re.sub(r"\[.*?\]", "", text))]


def test_files_of_other_fields_are_not_joined(module):
    files = [{"fields": {"channels_last": of}, "photographs": {}} for of in (True, False)]
    with pytest.raises(SystemExit, match="different fields"):
        module.joined(files)
