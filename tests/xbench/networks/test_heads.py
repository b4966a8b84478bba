"""The head of a network is found in what it computes."""

import pytest
import timm
import torch
import torchvision
from torch import nn

from tests.shared.awkward_networks import (
    Branching,
    DeepHead,
    Fully,
    GroupReadout,
    TwoHeads,
    plain,
)
from xbench.networks.heads import head_layer
from xbench.networks.stages import default_layer
from xbench.networks.tracing import trace

CLASSES = 8


@pytest.mark.parametrize(
    ("module", "head"),
    [
        (plain, "7"),
        (DeepHead, "head.4"),
        (Fully, "classifier.1"),
        (GroupReadout, ""),
        (TwoHeads, ""),
        (Branching, ""),
    ],
)
def test_the_head_is_the_last_layer_that_everything_flows_through(module, head):
    assert head_layer(module(CLASSES), CLASSES) == head


def test_a_layer_of_another_width_is_no_head():
    assert head_layer(plain(CLASSES), CLASSES + 1) == ""


def test_learned_scales_after_the_last_layer_leave_no_head():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.scale = plain(CLASSES), nn.Parameter(torch.ones(CLASSES))

        def forward(self, images):
            return self.net(images) * self.scale

    assert head_layer(Scaled(), CLASSES) == ""


@pytest.mark.parametrize(
    ("name", "head"),
    [("resnet18", "fc"), ("squeezenet1_1", "classifier.1"), ("vit_b_16", "heads.head"),
     ("convnext_tiny", "classifier.2"), ("googlenet", "fc"), ("densenet121", "classifier")],
)  # fmt: skip
def test_the_heads_of_library_networks_are_found(name, head):
    options = {"init_weights": False} if name == "googlenet" else {}
    module = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **options)
    assert head_layer(module, CLASSES) == head


@pytest.mark.parametrize("name", ["mobilenetv3_small_050", "ghostnet_100"])
def test_layers_that_call_their_function_themselves_are_heads(name):
    assert head_layer(timm.create_model(name, num_classes=CLASSES), CLASSES) == "classifier"


def test_networks_without_a_head_are_cut_before_the_layer_after_which_nothing_is_learned():
    images = torch.rand(2, 3, 16, 16)
    assert default_layer(trace(GroupReadout(CLASSES).eval(), images), images) == "last.1"
    assert default_layer(trace(TwoHeads(CLASSES).eval(), images), images) == "body.4"


def test_a_squeezenet_with_a_readout_of_groups_is_cut_after_its_features():
    class Grouped(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = torchvision.models.squeezenet1_1(weights=None, num_classes=64)

        def forward(self, images):
            return self.net(images).log_softmax(1).unflatten(1, (16, 4)).logsumexp(2)

    images = torch.rand(2, 3, 64, 64)
    assert head_layer(Grouped(), 16) == ""
    assert default_layer(trace(Grouped().eval(), images), images) == "net.features.12.cat"
