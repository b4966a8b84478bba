"""The calibrated control is the other loss's network with its logits divided."""

import pytest
import torch

from small_datasets import Greys
from small_entries import entry_of
from xbench import (
    Folds,
    ImageSet,
    MismatchError,
    ParameterError,
    TrainedWeights,
    Training,
    subject_of,
    weights_recipe,
)
from xbench.testing import TinyClassifier, TinyDataset, TinyLoss, tiny_workplace
from xbench_deliberative.difficulties.hardness import Hardness
from xbench_softlabels.calibration.calibrated import Calibrated
from xbench_softlabels.calibration.tempered_weights import fitted_targets
from xbench_softlabels.kernels.temperature import best_temperature, tempered_cross_entropy
from xbench_zoo.small_vgg import SmallVgg

TRAIN, TEST = (ImageSet(TinyDataset(), split) for split in ("train", "test"))
SETS = {"train": TRAIN, "test": TEST}


def entry(loss, **fields):
    training = Training(epochs=1, batch_size=5)
    return entry_of(TinyClassifier(), SETS, loss=loss, training=training, **fields)


def made(recipe, workplace):
    needs = {name: made(of, workplace) for name, of in recipe.needs().items()}
    return recipe.build(needs, workplace)


def logits_of(subject, weights, workplace, images=TRAIN):
    network = workplace.network(subject.classifier, weights)
    return network.logits(images.batch(images.ids()).images)


@pytest.mark.parametrize("to", ["labels", "people"])
def test_logits_are_those_of_the_training_divided_by_the_best_temperature(tmp_path, to):
    workplace = tiny_workplace(tmp_path)
    plain, calibrated = (
        subject_of(entry(of)) for of in (TinyLoss(), Calibrated(TinyLoss(), to, 0))
    )
    before, after = (made(of.weights, workplace) for of in (plain, calibrated))
    logits = logits_of(plain, before, workplace)
    temperature = best_temperature(logits, fitted_targets(TRAIN, to))
    assert after.facts["temperature"] == pytest.approx(temperature, rel=1e-4)
    tempered = logits_of(calibrated, after, workplace)
    torch.testing.assert_close(tempered, logits / temperature, rtol=1e-3, atol=1e-4)
    assert f"fitted to {to} of 20 training images" in after.facts["summary"][-1]


def test_the_temperature_fits_a_fold_that_a_network_of_the_others_did_not_see(tmp_path):
    workplace, folds = tiny_workplace(tmp_path), Folds(TRAIN, 4, 0)
    others = entry_of(
        TinyClassifier(),
        {**SETS, "train": folds.training(0)},
        loss=TinyLoss(),
        training=Training(epochs=1, batch_size=5),
    )
    asked, fold = subject_of(others), folds.held_out(0)
    logits = logits_of(asked, made(asked.weights, workplace), workplace, fold)
    temperature = best_temperature(logits, fitted_targets(fold, "people"))
    tempered = made(weights_recipe(entry(Calibrated(TinyLoss(), "people", 4))), workplace)
    assert tempered.facts["temperature"] == pytest.approx(temperature, rel=1e-4)
    assert "to people of 5 held-out training images" in tempered.facts["summary"][-1]


def test_the_held_out_training_is_shared_by_both_controls():
    recipes = [weights_recipe(entry(Calibrated(TinyLoss(), to))) for to in ("labels", "people")]
    asked, trained = ({of.needs()[name].key for of in recipes} for name in ("asked", "trained"))
    assert (len(asked), len(trained)) == (1, 1)
    assert asked != trained


def test_a_network_that_is_not_trained_is_asked_about_all_images():
    as_it_is = entry_of(
        TinyClassifier(), SETS, loss=Calibrated(TinyLoss()), training=Training(epochs=0)
    )
    needs = weights_recipe(as_it_is).needs()
    assert needs["asked"] is needs["trained"]


def test_fewer_images_than_folds_are_refused():
    with pytest.raises(ParameterError, match="inner_folds is 21, and there are 20 training images"):
        Calibrated(TinyLoss(), inner_folds=21).check(TRAIN)


@pytest.mark.parametrize("folds", [-1, 1])
def test_numbers_of_inner_folds_that_cannot_be_are_refused(folds):
    with pytest.raises(ValueError, match=f"inner_folds is {folds}; it needs 0, or at least 2"):
        Calibrated(TinyLoss(), inner_folds=folds)


def test_no_network_fits_worse_once_it_is_calibrated(tmp_path):
    workplace, targets = tiny_workplace(tmp_path), fitted_targets(TRAIN, "people")
    losses = []
    for loss in (TinyLoss(), Calibrated(TinyLoss(), "people", 0)):
        subject = subject_of(entry(loss))
        logits = logits_of(subject, made(subject.weights, workplace), workplace)
        losses.append(tempered_cross_entropy(logits, targets, 1.0))
    assert losses[1] <= losses[0]


def test_the_training_is_that_of_the_other_loss_and_shared_with_it():
    plain, *calibrated = (
        weights_recipe(entry(loss))
        for loss in (TinyLoss(), Calibrated(TinyLoss()), Calibrated(TinyLoss(), "people"))
    )
    assert {of.needs()["trained"].key for of in calibrated} == {plain.key}
    assert len({plain.key, *(of.key for of in calibrated)}) == 3
    assert not any(of.trained_here for of in calibrated)
    assert isinstance(plain, TrainedWeights)


def test_targets_and_scores_are_those_of_the_other_loss():
    batch, draws = TRAIN.batch(TRAIN.ids()[:4]), torch.Generator().manual_seed(0)
    given = {"classes": 5, "epoch": 0, "generator": draws}
    ours, others = (of.targets(batch, **given) for of in (Calibrated(TinyLoss()), TinyLoss()))
    assert torch.equal(ours.distribution, others.distribution)
    logits = torch.randn(4, 5, generator=draws)
    assert Calibrated(TinyLoss()).score(logits, ours) == TinyLoss().score(logits, ours)


def test_people_who_said_nothing_are_missed_before_any_training():
    with pytest.raises(MismatchError, match="'calibrated' needs human labels"):
        Calibrated(TinyLoss(), "people").check(ImageSet(Greys(), "train"))


def test_a_companion_that_is_trained_jointly_is_refused():
    with pytest.raises(MismatchError, match="cannot be trained jointly with 'hardness'"):
        weights_recipe(
            entry_of(SmallVgg(), SETS, loss=Calibrated(TinyLoss()), companion=Hardness())
        )
