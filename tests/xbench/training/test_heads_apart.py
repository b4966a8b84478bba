"""Trainings that treat the head apart are refused where a network has no single head."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
from torch import nn

from tests.shared.awkward_networks import SIDE, TwoHeads, plain
from xbench import (
    Classifier,
    ImageSet,
    Normalisation,
    ParameterError,
    Training,
    TrainingPlan,
    WeightsError,
)
from xbench.testing import TinyDataset, TinyLoss
from xbench.training.recipe import start_module

CLASSES = 5


@dataclass(frozen=True)
class Headed(Classifier):
    """One head, or the mean of two."""

    name: ClassVar[str] = "headed"
    heads: int = 2

    def module(self, classes: int) -> nn.Module:
        return TwoHeads(classes) if self.heads == 2 else plain(classes)

    def normalisation(self) -> Normalisation:
        return Normalisation()

    def input_size(self) -> int:
        return SIDE


def plan(heads=2, weights="", **training):
    images = ImageSet(TinyDataset(), "train")
    chosen = Training(**{"epochs": 1, **training})
    classifier = Headed(heads=heads, weights=weights)
    return TrainingPlan(
        classifier=classifier, loss=TinyLoss(), training=chosen, images=images,
        validation=ImageSet(TinyDataset(), "test"), seed=0, classes=CLASSES,
    )  # fmt: skip


@pytest.mark.parametrize("apart", [{"body_rate": 0.1}, {"body_rate": 0.0}, {"frozen_epochs": 1}])
def test_rates_of_the_body_need_a_head(apart):
    (name,) = apart
    with pytest.raises(ParameterError, match=f"{name} treats the head apart, and 'headed' has no"):
        start_module(plan(**apart))
    assert start_module(plan(heads=1, **apart))


def test_a_network_without_a_head_is_trained_as_a_whole():
    assert start_module(plan())


def test_nothing_is_refused_where_nothing_is_trained():
    assert start_module(plan(epochs=0, body_rate=0.1))


def test_a_new_head_needs_an_old_one(tmp_path):
    from safetensors.torch import save_file

    file = tmp_path / "weights.safetensors"
    save_file(TwoHeads(CLASSES).state_dict(), file)
    with pytest.raises(WeightsError, match="has no single layer that makes its 5 logits"):
        start_module(plan(weights=str(file), new_head=True))
