"""What libraries know of their weights: names of classes, and how photos are fitted."""

import pytest
import torch
from PIL import Image
from timm.data.transforms_factory import create_transform
from torchvision.models import ResNet50_Weights, SqueezeNet1_1_Weights, get_model_weights
from torchvision.transforms.functional import normalize

from xbench_zoo.library_models import Inputs
from xbench_zoo.timm_models import Timm
from xbench_zoo.torchvision_models import Torchvision
from xbench_zoo.user import UserModule


@pytest.fixture
def photo():
    return Image.effect_noise((640, 427), 90).convert("RGB")


def test_torchvision_names_its_classes():
    assert Torchvision("squeezenet1_1").class_names()[948] == "Granny Smith"
    assert len(Torchvision("vit_b_16").class_names()) == 1000
    assert UserModule("a:b").class_names() == ()


@pytest.mark.parametrize("name", ["squeezenet1_1", "resnet50", "efficientnet_b0", "vit_h_14"])
def test_photos_go_exactly_through_torchvisions_own_transform(photo, name):
    weights = get_model_weights(name).DEFAULT
    classifier = Torchvision(name)
    ours = classifier.photo_transform(classifier.input_size())(photo)
    normalised = normalize(ours, *map(list, classifier.normalisation()))
    assert torch.equal(normalised, weights.transforms()(photo))


def test_another_size_is_in_proportion(photo):
    transform = Torchvision("resnet50").photo_transform(112)
    assert transform(photo).shape == (3, 112, 112)
    own = ResNet50_Weights.DEFAULT.transforms()
    assert transform.resize_size == [own.resize_size[0] // 2]


def test_timm_names_its_classes_and_brings_its_transform(photo):
    classifier = Timm("resnet18")
    assert classifier.class_names()[948] == "Granny Smith"
    assert len(classifier.class_names()) == 1000
    fitted = classifier.photo_transform(classifier.input_size())(photo)
    assert fitted.shape == (3, 224, 224)
    assert 0 <= fitted.min() < fitted.max() <= 1
    whole = create_transform(224, interpolation="bicubic", crop_pct=0.95)
    torch.testing.assert_close(
        normalize(fitted, *map(list, classifier.normalisation())), whole(photo)
    )


def test_timm_knows_its_own_modules():
    import timm

    module = timm.create_model("resnet10t", num_classes=3)
    known = Timm.of_module(module)
    assert known is not None
    assert known.architecture.startswith("resnet10t")
    assert Timm.of_module(torch.nn.Linear(2, 2)) is None


def test_an_architecture_without_weights_knows_nothing(monkeypatch):
    monkeypatch.setattr("xbench_zoo.torchvision_models._default_weights", lambda name: None)
    classifier = Torchvision("resnet18")
    assert classifier.class_names() == ()
    assert classifier.photo_transform(224) is None
    assert classifier.inputs() == Inputs()


def test_the_default_of_squeezenet_is_the_one_that_its_weights_are_tested_with(photo):
    transform = Torchvision("squeezenet1_1").photo_transform(224)
    whole = SqueezeNet1_1_Weights.DEFAULT.transforms(mean=(0.0,) * 3, std=(1.0,) * 3)
    assert torch.equal(transform(photo), whole(photo))
