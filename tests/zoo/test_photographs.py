"""A real network with real weights learns real photographs."""

import pytest
import torch

from xbench import (
    Artefact,
    ImageSet,
    TrainedWeights,
    Training,
    TrainingPlan,
    Transform,
    decode_photo,
)
from xbench.networks import load_network, read_state
from xbench.testing import tiny_workplace
from xbench_datasets.folders.folder import Folder
from xbench_zoo.losses import CrossEntropy
from xbench_zoo.torchvision_models import Torchvision

FOLDS = 4
TUNED = 0
"""One of the folds; docs/training.md has the accuracy of all four, of longer trainings."""
RECIPE = Training(
    epochs=6,
    batch_size=16,
    optimiser="adamw",
    learning_rate=0.003,
    body_rate=0.1,
    weight_decay=0.02,
    warmup_epochs=1.0,
    crop_scale=(0.5, 1.0),
)


def squeezenet(realdata):
    weights = realdata / "squeezenet1_1" / "squeezenet1_1_torchvision_keys.npz"
    return Torchvision("squeezenet1_1", weights=str(weights))


def tuned(realdata, fold, training, tmp_path, pixels=192):
    data = Folder(str(realdata / "cub_200_2010_photos"), folds=FOLDS, fold=fold)
    transform = Transform(pixels * 13 // 12, pixels)
    plan = TrainingPlan(
        squeezenet(realdata),
        CrossEntropy(),
        training,
        ImageSet(data, "train", transform),
        ImageSet(data, "test", transform),
        seed=0,
        classes=10,
    )
    return TrainedWeights(plan).build({}, tiny_workplace(tmp_path, 32))


@pytest.mark.realdata
@pytest.mark.slow
def test_a_fine_tuned_squeezenet_knows_ten_birds(realdata, tmp_path):
    weights = tuned(realdata, TUNED, RECIPE, tmp_path, pixels=128)
    assert weights.facts["accuracy"] >= 0.65


@pytest.mark.realdata
def test_three_epochs_of_the_head_alone_are_better_than_chance(realdata, tmp_path):
    training = Training(epochs=3, batch_size=16, learning_rate=0.01, body_rate=0.0)
    made = tuned(realdata, 0, training, tmp_path, pixels=96)
    assert made.facts["accuracy"] > 0.3
    network = load_network(squeezenet(realdata), made, torch.device("cpu"))
    assert network.layer == "features.12.cat"


@pytest.mark.realdata
def test_the_real_weights_know_real_photographs(realdata):
    classifier = squeezenet(realdata)
    state = read_state(classifier.weights)
    network = load_network(
        classifier, Artefact("real", state, {"classes": 1000}), torch.device("cpu")
    )
    files = sorted((realdata / "imagenet_sample").glob("*.jpg"))[::20]
    images = [decode_photo(path, path.name) for path in files]
    seen = torch.stack([Transform(232, 224).image(image) for image in images])
    right = network.logits(seen).argmax(dim=1) == 20 * torch.arange(len(files))
    assert 0.45 < float(right.double().mean()) < 0.8  # 61 % of all thousand
