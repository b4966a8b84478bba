"""Searches: nothing of the first fold is seen by what is chosen for it."""

from dataclasses import replace

import pytest

from small_entries import entry_of
from xbench import ImageSet, Registry, Training, load_benchmark
from xbench.testing import TinyClassifier, TinyDataset, TinyLoss
from xbench_softlabels.calibration.calibrated import Calibrated
from xbench_softlabels.fit.protocol import HumanFit

SETS = {split: ImageSet(TinyDataset(), split) for split in ("train", "test")}
FIRST_PARTY = Registry(third_party=False)
SEARCH = HumanFit(folds=4, search_folds=3)
HELD_OUT = {
    case.id for case in HumanFit(folds=4, first_folds=1).cases(entry_of(TinyClassifier(), SETS), {})
}


def entry(**fields):
    given = {"training": Training(epochs=1), "loss": TinyLoss(), **fields}
    return entry_of(TinyClassifier(), SETS, **given)


def ensemble():
    members = tuple(entry(label=label, seed=seed) for seed, label in enumerate("ab"))
    return entry(members=members)


def seen(protocol, of):
    """All images that trainings read, and that networks are asked about."""
    requests = list(protocol.requests(of, protocol.cases(of, {})))
    plans = [request.subject.weights.required_plan for request in requests]
    assert all(plan.validation is None for plan in plans)
    trained = {image for plan in plans for image in plan.images.ids()}
    return trained.union(*(request.ids for request in requests))


@pytest.mark.parametrize(
    "of",
    [entry(), entry(loss=Calibrated(TinyLoss())), ensemble()],
    ids=["network", "temperature", "ensemble"],
)
def test_a_search_sees_no_image_of_the_first_fold(of):
    scored = {case.id for case in SEARCH.cases(of, {})}
    assert len(HELD_OUT) == 5
    assert scored == set(SETS["test"].ids()) - HELD_OUT
    assert seen(SEARCH, of) == scored
    assert seen(replace(SEARCH, search_folds=0), of) & HELD_OUT


def test_a_search_scores_images_that_its_networks_were_not_trained_on():
    few = replace(SEARCH, first_folds=1)
    of = entry()
    (request,) = few.requests(of, few.cases(of, {}))
    known = set(request.subject.weights.required_plan.images.ids())
    assert set(request.ids) == {case.id for case in few.cases(of, {})}
    assert (len(request.ids), len(known)) == (5, 10)
    assert not known & set(request.ids)


def test_a_network_that_is_not_trained_is_scored_beside_the_others():
    few = replace(SEARCH, first_folds=1)
    floor = entry(training=Training(epochs=0))
    assert few.cases(floor, {}) == few.cases(entry(), {})
    assert list(few.artefacts(floor)) == ["weights"]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"search_folds": 3}, "leaves the first of folds out, and there are 0"),
        ({"folds": 4, "search_folds": 1}, "search_folds: 1 is no number of folds"),
        ({"folds": 4, "search_folds": -2}, "search_folds: -2 is no number of folds"),
        ({"folds": 9, "search_folds": 2, "first_folds": 3}, "first_folds: 3 of 2 folds"),
    ],
)
def test_searches_that_cannot_be_are_refused(fields, what):
    with pytest.raises(ValueError, match=what):
        HumanFit(**fields)


def test_the_variant_alpha_searches_mixups_strength_and_its_winner_is_taken_by_name():
    search = load_benchmark("softlabels-toybirds", FIRST_PARTY, variants=["alpha"])
    assert search.protocol == HumanFit(folds=3, search_folds=2, first_folds=1)
    losses = [next(search.entries(line)).loss for line in search.lines]
    assert [loss.alpha for loss in losses] == pytest.approx([n / 10 for n in range(1, 11)])
    chosen = {"defaults": {"loss": {"mixup": {"alpha": 0.4}}}}
    for changes, alpha in ((chosen, 0.4), ({}, 0.2)):
        benchmark = load_benchmark("softlabels-toybirds", FIRST_PARTY, changes=changes)
        losses = {line.label: next(benchmark.entries(line)).loss for line in benchmark.lines}
        assert losses["mixup"] == replace(losses["mixup"], alpha=alpha)
