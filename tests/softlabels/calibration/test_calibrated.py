"""The calibrated control is the other loss's network with its logits divided."""

import pytest
import torch

from small_datasets import Greys
from small_entries import entry_of
from xbench import ImageSet, MismatchError, TrainedWeights, Training, subject_of, weights_recipe
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


def logits_of(subject, weights, workplace):
    network = workplace.network(subject.classifier, weights)
    return network.logits(TRAIN.batch(TRAIN.ids()).images)


@pytest.mark.parametrize("to", ["labels", "people"])
def test_logits_are_those_of_the_training_divided_by_the_best_temperature(tmp_path, to):
    workplace = tiny_workplace(tmp_path)
    plain, calibrated = (subject_of(entry(of)) for of in (TinyLoss(), Calibrated(TinyLoss(), to)))
    before, after = (made(of.weights, workplace) for of in (plain, calibrated))
    logits = logits_of(plain, before, workplace)
    temperature = best_temperature(logits, fitted_targets(TRAIN, TRAIN.ids(), to))
    assert after.facts["temperature"] == pytest.approx(temperature, rel=1e-4)
    tempered = logits_of(calibrated, after, workplace)
    torch.testing.assert_close(tempered, logits / temperature, rtol=1e-3, atol=1e-4)
    assert f"fitted to {to} of 20 training images" in after.facts["summary"][-1]


def test_no_network_fits_worse_once_it_is_calibrated(tmp_path):
    workplace, targets = tiny_workplace(tmp_path), fitted_targets(TRAIN, TRAIN.ids(), "people")
    losses = []
    for loss in (TinyLoss(), Calibrated(TinyLoss(), "people")):
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
    with pytest.raises(MismatchError, match="'greys' has no annotation of kind HumanLabels"):
        Calibrated(TinyLoss(), "people").check(ImageSet(Greys(), "train"))


def test_a_companion_that_is_trained_jointly_is_refused():
    with pytest.raises(MismatchError, match="cannot be trained jointly with 'hardness'"):
        weights_recipe(
            entry_of(SmallVgg(), SETS, loss=Calibrated(TinyLoss()), companion=Hardness())
        )
