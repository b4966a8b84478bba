"""Every image meets networks that did not see it."""

from dataclasses import replace

import pytest

from small_entries import entry_of
from xbench import ImageSet, MismatchError, ParameterError, Training, weights_recipe
from xbench.testing import TinyClassifier, TinyDataset, TinyLoss
from xbench_softlabels.calibration.calibrated import Calibrated
from xbench_softlabels.folds.fold_networks import fold_networks

SETS = {split: ImageSet(TinyDataset(), split) for split in ("train", "test")}
TEST = SETS["test"].ids()


def entry(**fields):
    given = {"training": Training(epochs=1), **fields}
    return entry_of(TinyClassifier(), SETS, **given)


def plans(folds):
    return [of.subject.weights.required_plan for fold in folds for of in fold.networks]


def test_each_fold_is_held_out_from_its_own_training():
    folds = fold_networks(entry(), 4, 0, 0)
    held_out = [set(fold.images.ids()) for fold in folds]
    assert sorted(image for ids in held_out for image in ids) == sorted(TEST)
    for ids, plan in zip(held_out, plans(folds), strict=True):
        assert set(plan.images.ids()) == set(TEST) - ids
        assert plan.validation is None  # the protocol asks about these images, once
    names = [of.artefact for fold in folds for of in fold.networks]
    assert names == [f"fold-{fold}/weights" for fold in range(4)]
    assert len({of.subject.weights.key for fold in folds for of in fold.networks}) == 4


def test_the_first_folds_are_those_of_all():
    few, every = (fold_networks(entry(), 4, 0, first) for first in (2, 0))
    assert [fold.images for fold in few] == [fold.images for fold in every[:2]]
    assert [plan.tree() for plan in plans(few)] == [plan.tree() for plan in plans(every[:2])]
    other = fold_networks(entry(), 4, 1, 2)
    assert other[0].images.ids() != few[0].images.ids()


def test_without_folds_all_images_meet_the_entry_s_own_network():
    (alone,) = fold_networks(entry(), 0, 0, 0)
    assert alone.images == SETS["test"]
    assert [of.subject.weights for of in alone.networks] == [weights_recipe(entry())]


def test_a_network_that_is_not_trained_is_one_for_all_folds():
    folds = fold_networks(entry(training=Training(epochs=0)), 3, 0, 0)
    assert len({of.subject.weights.key for fold in folds for of in fold.networks}) == 1
    assert {of.artefact for fold in folds for of in fold.networks} == {"weights"}


def test_members_of_an_ensemble_are_trained_in_folds_as_they_are_alone():
    members = tuple(entry(label=label, seed=seed) for seed, label in enumerate("ab"))
    folds = fold_networks(entry(members=members), 3, 0, 0)
    alone = [fold_networks(member, 3, 0, 0) for member in members]
    for place, fold in enumerate(folds):
        keys = [of.subject.weights.key for of in fold.networks]
        assert keys == [of[place].networks[0].subject.weights.key for of in alone]


def test_a_temperature_is_fitted_on_the_training_images_of_each_fold():
    folds = fold_networks(entry(loss=Calibrated(TinyLoss())), 3, 0, 0)
    for fold in folds:
        weights = fold.networks[0].subject.weights
        assert not set(weights.images.ids()) & set(fold.images.ids())


def test_given_weights_cannot_be_trained_in_folds():
    given = replace(entry(), weights=weights_recipe(entry(seed=5)))
    with pytest.raises(MismatchError, match="would have to be trained in 3 folds here"):
        fold_networks(given, 3, 0, 0)


@pytest.mark.parametrize(("count", "first"), [(1, 0), (-1, 0), (3, 4), (3, -1), (0, 1)])
def test_numbers_that_are_none_are_refused(count, first):
    with pytest.raises(ParameterError, match="folds"):
        fold_networks(entry(), count, 0, first)
