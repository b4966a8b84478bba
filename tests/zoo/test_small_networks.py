"""The small VGG and the small ResNet: shapes, layers, parameters, errors."""

import pytest
import torch
from torch import nn

from xbench import Artefact, WeightsError
from xbench.networks import blank_module, cut_points, load_network
from xbench.testing import check_component
from xbench_zoo.small_resnet import BasicBlock, SmallResnet
from xbench_zoo.small_vgg import SmallVgg

NETWORKS = [SmallVgg(), SmallVgg(((4,), (5, 6)), hidden=()), SmallResnet()]


def loaded(classifier, classes=4):
    state = blank_module(classifier, classes).state_dict()
    return load_network(
        classifier, Artefact("key", state, {"classes": classes}), torch.device("cpu")
    )


def images(count=2):
    return torch.rand(count, 3, 96, 96, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("classifier", NETWORKS, ids=str)
def test_the_small_networks_keep_the_contract_of_classifiers(classifier):
    check_component(classifier)


@pytest.mark.parametrize(
    ("classifier", "layer"),
    [(SmallVgg(), "features.stage4.relu2"), (SmallResnet(), "block3.relu2")],
)
def test_they_make_12_by_12_maps_at_the_default_layer(classifier, layer):
    network = loaded(classifier)
    assert network.layer == layer
    assert network.activations(images()).shape == (2, 96, 12, 12)
    assert network.logits(images()).shape == (2, 4)


def test_the_small_vgg_has_its_stages_and_its_head():
    network = loaded(SmallVgg(((4,), (5, 6)), hidden=(7,)))
    assert network.activations(images()).shape == (2, 6, 48, 48)
    shapes = {tuple(p.shape) for p in network.top.parameters() if p.ndim > 1}
    assert shapes == {(7, 9 * 6), (4, 7)}


def test_every_convolution_of_the_small_vgg_can_be_explained():
    points = {
        point.name: point.shape
        for point in cut_points(blank_module(SmallVgg(), 4).eval(), images())
    }
    assert points["features.stage1.relu1"] == (16, 96, 96)
    assert points["features.stage3.relu1"] == (48, 24, 24)
    assert points["classifier.relu2"] == (128,)


def test_the_small_resnet_has_its_widths():
    network = loaded(SmallResnet((4, 5, 6, 7)))
    assert network.activations(images()).shape == (2, 7, 12, 12)


def test_a_block_adds_its_input_to_what_it_computes():
    block = BasicBlock(3, 3).eval()
    nn.init.zeros_(block.norm2.weight)
    x = images()
    with torch.no_grad():
        assert torch.equal(block(x), x)  # images are not negative
        assert BasicBlock(3, 5, stride=2)(x).shape == (2, 5, 48, 48)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: SmallVgg(()), "every stage needs a convolution"),
        (lambda: SmallVgg(((4,), ())), "every stage needs a convolution"),
        (lambda: SmallVgg(hidden=(0,)), "every layer at least one channel"),
        (lambda: SmallVgg(dropout=1.0), "dropout is 1.0; it needs 0 <= dropout < 1"),
        (lambda: SmallResnet((1, 2, 3, 0)), "every layer needs at least one channel"),
    ],
)
def test_networks_that_cannot_be_say_why(make, text):
    with pytest.raises(ValueError, match=text):
        make()


@pytest.mark.parametrize("cls", [SmallVgg, SmallResnet])
def test_no_library_has_their_weights(cls):
    with pytest.raises(WeightsError, match=f"{cls.name} has no weights in a library; leave"):
        cls(weights="library").module(3)
