"""A short version of benchmarks/analysis/study_coverage.py."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).resolve().parents[3] / "benchmarks/analysis/study_coverage.py"


@pytest.fixture
def coverage(monkeypatch):
    spec = importlib.util.spec_from_file_location("study_coverage", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "IMAGES", 40)
    monkeypatch.setattr(module, "PEOPLE", 16)
    return module


def held(intervals):
    return [low <= truth <= high for _, (_, low, high), truth in intervals]


@pytest.mark.parametrize("assignment", ["between", "within"])
def test_intervals_of_the_bootstrap_hold_the_truth(coverage, assignment):
    shares = np.mean(
        [
            held(coverage.intervals(coverage.simulated(assignment, np.random.default_rng(n)), n))
            for n in range(60)
        ],
        axis=0,
    )
    assert (shares >= 0.88).all()


def test_intervals_of_the_model_hold_the_truth(coverage):
    shares = np.mean(
        [
            held(
                coverage.posterior(
                    coverage.simulated("between", np.random.default_rng(n)), "nested Laplace", n
                )
            )
            for n in range(12)
        ],
        axis=0,
    )
    assert (shares >= 0.8).all()


def test_simulated_people_take_part_unevenly_and_answer_an_image_once(coverage):
    study = coverage.simulated("between", np.random.default_rng(0))
    answers = set(zip(study.images.tolist(), study.participants.tolist(), strict=True))
    assert len(answers) == len(study.right) == 2 * 40 * 5
    counts = np.bincount(study.participants)
    assert counts.max() > 3 * counts.min()
    assert (study.participants % 2 == study.conditions).all()
