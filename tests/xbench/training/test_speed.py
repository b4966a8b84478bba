"""How long a training will take is measured by updates of it, and is none of its results."""

from dataclasses import replace

import pytest
import torch

from small_datasets import Stripes
from small_networks import Tiny
from xbench.interfaces.data.dataset import ImageSet
from xbench.interfaces.recipe import TrainingPlan
from xbench.interfaces.training import Training
from xbench.running.planning.forecast import trainings_of
from xbench.training import speed
from xbench.training.recipe import TrainedWeights
from xbench_zoo.losses import CrossEntropy

CPU = torch.device("cpu")


@pytest.fixture
def plan():
    training = Training(epochs=4, batch_size=6)
    data = Stripes()
    return TrainingPlan(
        Tiny(), CrossEntropy(), training, ImageSet(data, "train"), ImageSet(data, "test"), 0, 3
    )


def test_all_images_of_all_epochs_are_counted(plan, monkeypatch):
    monkeypatch.setattr(speed, "timed_update", lambda some, *of: 0.5 * len(some.images.ids()))
    updates = 0.5 * len(plan.images.ids()) * 4
    assert speed.training_seconds(plan, CPU) > updates  # for images are read, too


def test_a_forecast_measures_and_draws_nothing_from_the_global_generator(plan, monkeypatch):
    monkeypatch.setattr("xbench.training.fitting.TIMED", 0.01)
    monkeypatch.setattr("xbench.running.planning.forecast.training_seconds", speed.training_seconds)
    before = torch.get_rng_state()
    recipe = TrainedWeights(plan)
    (training,) = trainings_of({recipe.key: recipe}, (), CPU)
    assert training.seconds > 0
    assert torch.equal(torch.get_rng_state(), before)


def test_what_cannot_be_trained_has_no_time(plan):
    assert speed.training_seconds(replace(plan, classes=2), CPU) is None
