"""Whether scores rank entries alike: the analysis beside a slow loop, and a store made by hand."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("scipy")
from scipy.stats import spearmanr

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "analysis"


@pytest.fixture
def script(monkeypatch):
    """A script of that folder, by name."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def values(scores=3, entries=6, images=30):
    return np.random.default_rng(2).normal(size=(scores, entries, images))


def slow_means(given, chosen):
    """NaN left out, image by image."""
    return [
        [np.mean([of[n] for n in chosen if not np.isnan(of[n])]) for of in score] for score in given
    ]


def test_correlations_are_those_of_scipy_where_values_are_missing_too(script):
    given = values()
    given[0, 1, :7] = np.nan
    given[2, 4, 5] = np.nan
    found = script("rank_agreement").agreement(given, resamples=20)
    means = slow_means(given, range(30))
    for a in range(3):
        for b in range(3):
            assert found.rho[a, b] == pytest.approx(spearmanr(means[a], means[b]).statistic)


def test_intervals_are_the_quantiles_of_a_loop_over_the_same_resamples(script):
    module, given = script("rank_agreement"), values()
    found = module.agreement(given, resamples=50, seed=4)
    counts = np.random.default_rng(4).multinomial(30, np.full(30, 1 / 30), 50)
    drawn = []
    for row in counts:
        means = slow_means(given, np.repeat(np.arange(30), row))
        drawn.append(spearmanr(means[0], means[1]).statistic)
    assert [found.low[0, 1], found.high[0, 1]] == pytest.approx(np.percentile(drawn, [2.5, 97.5]))


def test_equal_orders_agree_wholly_and_turned_ones_not_at_all(script):
    order = np.arange(5.0)[:, None] + 0.01 * values(1, 5, 30)[0]
    found = script("rank_agreement").agreement(np.stack([order, 7 * order, -order]), resamples=20)
    assert found.rho[0].tolist() == pytest.approx([1, 1, -1])
    assert found.low[0].tolist() == pytest.approx([1, 1, -1])


def test_ties_share_their_mean_rank_and_equal_entries_have_no_correlation(script):
    correlations = script("rank_agreement").correlations
    means = np.array([[[1.0, 1, 2, 3], [1, 2, 3, 4], [5, 5, 5, 5]]])
    found = correlations(means)[0]
    assert found[0, 1] == pytest.approx(spearmanr(means[0, 0], means[0, 1]).statistic)
    assert np.isnan(found[2]).all()


def judged(label, role, place, scores, images):
    """A record of a run, and the rows of its scores."""
    names = [name for name in scores for _ in images]
    rows = {
        "case": [f"test/{image}" for image in images] * len(scores),
        "score": names,
        "value": [value for of in scores.values() for value in of],
    }
    record = SimpleNamespace(
        label=label,
        role=role,
        heading=SimpleNamespace(place=place),
        rows=[[]],
        scores=[
            SimpleNamespace(name=name, direction="lower" if name == "deletion" else "higher")
            for name in scores
        ],
        scores_file=SimpleNamespace(path=f"{place}{images[0]}{len(scores)}"),
    )
    return record, rows


def test_scores_of_all_protocols_are_brought_together_by_label_and_image(script):
    module = script("agreement")
    tables, runs = {}, {}
    for name, images in (
        ("part-deletion", [1, 2]),
        ("pixel-flipping", [2, 3]),
        ("localisation", [2]),
    ):
        own = [of.score for of in module.CRITERIA if of.benchmark == name]
        runs[name] = {}
        for place, (label, role) in enumerate([("noise", "floor"), ("b", "entry"), ("a", "entry")]):
            scores = {score: [place + image for image in images] for score in own}
            record, rows = judged(label, role, place, scores, images)
            runs[name][label] = record
            tables[record.scores_file.path] = SimpleNamespace(to_pydict=lambda rows=rows: rows)
    runs["localisation"]["elsewhere"] = None
    found = module.gathered(SimpleNamespace(scores=tables.get), runs)
    assert found.labels == ["b", "a", "noise"]
    assert (found.entries, found.images, found.networks) == (2, 3, 1)
    assert found.signs.tolist() == [1, 1, 1, -1, 1, 1, 1]
    assert found.means[0].tolist() == [2.5, 3.5, 1.5]
    assert found.means[3].tolist() == [3.5, 4.5, 2.5]
    assert found.sums[3, :, 2].tolist() == [-4, -5, -3]
    assert found.counts[:, 0].sum(1).tolist() == [2, 2, 2, 2, 2, 1, 1]


def test_numbers_are_written_without_a_leading_zero(script):
    signed = script("agreement").signed
    assert [signed(value) for value in (-0.131, 0, 1, -1)] == ["−.13", "+.00", "+1.00", "−1.00"]
