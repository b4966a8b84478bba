"""What modules say of themselves is read by one function, in both doors."""

from types import SimpleNamespace

import pytest
import timm
import torch
from PIL import Image
from torch import nn

from awkward_networks import plain
from xbench.api.modules import classifier_from
from xbench.api.photos.explaining import explain
from xbench.api.photos.given_networks import load_classifier
from xbench.api.self_description import SelfDescription, self_description
from xbench.interfaces.classifier import Normalisation

CLASSES = 3
HALVES = Normalisation((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
CONFIGURATION = {"mean": HALVES.mean, "std": HALVES.std, "input_size": (3, 32, 32)}


@pytest.fixture
def network():
    torch.manual_seed(0)
    return plain(CLASSES)


def named(network, names):
    """The network with a configuration as Hugging Face's image classifiers have it."""
    network.config = SimpleNamespace(id2label=names, image_size=64)
    return network


def test_a_module_without_anything_says_nothing(network):
    assert self_description(network) == SelfDescription(None, None, ())


def test_a_configuration_like_timms_says_size_and_normalisation(network):
    network.pretrained_cfg = CONFIGURATION
    assert self_description(network) == SelfDescription(32, HALVES, ())
    assert self_description(nn.DataParallel(network)) == SelfDescription(32, HALVES, ())


def test_one_number_of_grey_images_is_that_of_all_channels(network):
    network.pretrained_cfg = {"mean": (0.5,), "std": [0.25], "input_size": (1, 28, 28)}
    assert self_description(network) == SelfDescription(28, HALVES, ())


@pytest.mark.parametrize(
    "configuration",
    ["resnet18", {}, {"mean": None, "std": (1,)}, {"mean": HALVES.mean, "input_size": 32}],
)
def test_what_is_of_another_form_is_not_said(network, configuration):
    network.pretrained_cfg = configuration
    assert self_description(network) == SelfDescription(None, None, ())


@pytest.mark.parametrize("number", [int, str])
def test_names_of_classes_are_read_in_the_order_of_their_numbers(network, number):
    names = {number(2): "cat", number(0): "ant", number(1): "bee"}
    assert self_description(named(network, names)).class_names == ("ant", "bee", "cat")


@pytest.mark.parametrize(
    "names",
    [{0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}, {0: "ant", 2: "cat"}, {}, ["ant"], None],
)
def test_names_that_say_nothing_or_leave_out_a_number_are_ignored(network, names):
    assert self_description(named(network, names)).class_names == ()


def test_both_doors_take_what_a_module_says(network):
    network.pretrained_cfg = CONFIGURATION
    network = named(network, {0: "ant", 1: "bee", 2: "cat"})
    loaded, classifier = load_classifier(network), classifier_from(network)
    assert loaded.size == classifier.side == 32
    assert loaded.normalisation == classifier.normalisation() == HALVES
    assert loaded.class_names == classifier.class_names() == ("ant", "bee", "cat")
    assert loaded.remarks == ()
    assert classifier.remark == ""


def test_a_photo_is_seen_alike_through_both(network):
    network.pretrained_cfg = CONFIGURATION
    photo = Image.effect_noise((60, 40), 90).convert("RGB")
    bare = explain(named(network, {0: "ant", 1: "bee", 2: "cat"}), photo)
    component = explain(classifier_from(network), photo)
    assert bare[0].summary == component[0].summary
    assert torch.equal(bare[0].explanation.values, component[0].explanation.values)


def test_timms_modules_say_their_own_normalisation_and_not_their_names():
    module = timm.create_model(
        "resnet10t", num_classes=CLASSES, pretrained_cfg_overlay={"mean": HALVES.mean}
    )
    loaded, classifier = load_classifier(module), classifier_from(module)
    assert loaded.normalisation == classifier.normalisation()
    assert loaded.normalisation.mean == HALVES.mean
    assert loaded.size == classifier.side
    (remark,) = loaded.remarks
    assert remark.startswith("assumed: numbers for classes; ")


def test_a_configuration_of_no_architecture_of_timm_is_no_mistake(network):
    network.pretrained_cfg = {**CONFIGURATION, "architecture": "my_net"}
    assert load_classifier(network).normalisation == HALVES


def test_as_many_names_as_outputs_or_none(network):
    loaded = load_classifier(named(network, {0: "ant", 1: "bee"}))
    assert loaded.class_names == ("0", "1", "2")
    assert "numbers for classes" in loaded.remarks[0]


def test_only_what_nobody_says_is_assumed(network):
    first = "assumed: images of 224 px, mean 0.485/0.456/0.406, std 0.229/0.224/0.225, numbers for"
    assert load_classifier(network).remarks[0].startswith(first)
    said = {"size": 32, "mean": HALVES.mean, "std": HALVES.std}
    assert load_classifier(network, **said).remarks[0].startswith("assumed: numbers for classes;")
    assert load_classifier(network, **said, classes=["ant", "bee", "cat"]).remarks == ()
    network.pretrained_cfg = {"mean": HALVES.mean, "std": HALVES.std}
    assert load_classifier(network).remarks[0].startswith("assumed: images of 224 px, numbers")


def test_a_classifier_says_what_was_assumed_of_its_module(network):
    assert classifier_from(network).remark == (
        "assumed: Sequential wants images in [0, 1] as they are, not normalised; "
        "xbench.classifier_from(module, mean=…, std=…) says otherwise"
    )
    said = classifier_from(network, mean=(0.0, 0.0, 0.0))
    assert said.remark == ""
    assert said == classifier_from(network), "what is assumed is no part of what it is"
