"""A training with any of the targets ends the same, interrupted or not."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import torch

from interrupted import PowerError, Recorder, equal
from small_datasets import Stripes
from small_networks import Tiny
from softlabels_losses import LOSSES
from xbench import (
    Folds,
    HumanLabels,
    ImageSet,
    MismatchError,
    TrainedWeights,
    Training,
    TrainingPlan,
)
from xbench.testing import tiny_workplace
from xbench_softlabels.targets.class_human_labels import ClassHumanLabels
from xbench_softlabels.targets.distillation import Distillation
from xbench_softlabels.targets.mixup import Mixup
from xbench_softlabels.targets.sampled_labels import SampledLabels
from xbench_zoo.losses import CrossEntropy


@dataclass(frozen=True)
class JudgedStripes(Stripes, HumanLabels):
    """Stripes of which ten people each said where they are, some of them one place lower."""

    name: ClassVar[str] = "judged-stripes"

    def label_counts(self, ids):
        right = torch.nn.functional.one_hot(self.labels(ids), 3)
        wrong = torch.tensor([image % 5 for image in ids]).unsqueeze(1)
        return (10 - wrong) * right + wrong * right.roll(1, dims=1)


def planned(loss, **changes):
    training = Training(epochs=3, batch_size=8)
    images = ImageSet(JudgedStripes(), "train")
    plan = TrainingPlan(Tiny(), loss, training, images, None, seed=0, classes=3)
    return replace(plan, **changes)


def trained(plan, folder, last=None):
    place = replace(tiny_workplace(folder), progress=Recorder(last))
    return TrainedWeights(plan).build({}, place).tensors


@pytest.mark.parametrize("name", LOSSES)
def test_a_resumed_training_is_the_same_training(name, tmp_path):
    plan = planned(LOSSES[name])
    with pytest.raises(PowerError):
        trained(plan, tmp_path, last=6)  # in the second epoch
    assert list(tmp_path.rglob("*.pt"))
    assert equal(trained(plan, tmp_path), trained(plan, tmp_path / "other"))


def test_distillation_from_an_exported_file_trains(tmp_path):
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), size=25)
    np.savez(tmp_path / "p.npz", probabilities=probabilities, ids=np.arange(25))
    weights = trained(planned(Distillation(str(tmp_path / "p.npz"))), tmp_path)
    assert not equal(weights, trained(planned(CrossEntropy()), tmp_path))


def test_mixing_nothing_trains_as_labels_do_and_mixing_does_not(tmp_path):
    losses = CrossEntropy(), Mixup(CrossEntropy(), 0.0), Mixup(CrossEntropy(), 1.0)
    plain, unmixed, mixed = (trained(planned(loss), tmp_path) for loss in losses)
    assert equal(plain, unmixed)
    assert not equal(plain, mixed)


def test_a_fold_that_lacks_a_class_is_refused_before_anything_is_trained(tmp_path):
    few = ImageSet(JudgedStripes(count=4), "train")  # classes 0, 1, 2, 0
    part = next(
        part
        for part in (Folds(few, 4).training(fold) for fold in range(4))
        if len(set(few.dataset.labels(part.ids()).tolist())) < 3
    )
    with pytest.raises(MismatchError, match=r"has no image of '[a-z]+', in this part of split"):
        trained(planned(ClassHumanLabels(), images=part), tmp_path)
    assert not list(tmp_path.rglob("*.pt"))


def test_losses_are_asked_before_the_first_batch_of_a_training(tmp_path):
    images = ImageSet(Stripes(), "train")
    with pytest.raises(MismatchError, match="loss 'sampled-labels' needs human labels"):
        trained(planned(SampledLabels(), images=images), tmp_path)
