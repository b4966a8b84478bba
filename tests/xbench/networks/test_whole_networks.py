"""A network is whole until a part of it is asked for, and the same afterwards."""

import pytest
import torch
from torch import nn

from tests.shared.awkward_networks import SIDE, Branching, plain
from xbench import CutError
from xbench.networks.loading import whole_module

CLASSES = 8


def images(count=3):
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(5))


def whole(module=None):
    return whole_module(module or plain(CLASSES), classes=CLASSES, size=SIDE)


def test_logits_are_the_same_before_and_after_the_cut_bit_for_bit():
    network = whole()
    before = network.logits(images())
    assert len(network.parts) == 1
    assert network.layer == "4"
    assert len(network.parts) == 2
    assert torch.equal(network.logits(images()), before)
    assert torch.equal(network.top(network.bottom(images())), before)
    assert torch.equal(network.module(images()), before)


def test_a_forward_pass_counts_as_whole_whether_it_is_cut_or_not():
    network = whole()
    network.logits(images())
    network.cut().logits(images())
    network.module(images())
    assert network.passes.snapshot() == {
        "forward": 9, "backward": 0, "bottom_forward": 0, "top_forward": 0, "top_backward": 0,
    }  # fmt: skip
    network.top(network.activations(images()))
    assert network.passes.bottom_forward == network.passes.top_forward == 3


def test_a_pass_back_from_the_logits_counts_as_whole_whether_it_is_cut_or_not():
    network = whole()
    for _ in range(2):
        network.module(images().requires_grad_()).sum().backward()
        network.cut()
    counts = network.passes.snapshot()
    assert (counts["forward"], counts["backward"], counts["top_backward"]) == (6, 6, 0)
    network.top(network.activations(images()).requires_grad_()).sum().backward()
    assert (network.passes.backward, network.passes.top_backward) == (6, 3)


def test_a_network_that_cannot_be_cut_runs_whole_and_says_why_when_a_part_is_asked_for():
    network = whole(Branching(CLASSES))
    assert network.logits(images()).shape == (3, CLASSES)
    with pytest.raises(CutError, match="Branching cannot be traced, and so not cut"):
        _ = network.bottom
    assert network.logits(images()).shape == (3, CLASSES)


def test_no_weights_lie_twice():
    network = whole()
    places = {tensor.data_ptr() for tensor in network.module.parameters()}
    network.cut()
    parts = [one.data_ptr() for part in network.parts for one in part.parameters()]
    assert set(parts) == places
    assert len(parts) == len(places)


def test_the_module_that_was_given_keeps_its_modes_and_gradients():
    module = plain(CLASSES).train()
    whole(module).cut()
    assert module.training
    assert module[1].inplace
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_gradients_of_the_whole_module_reach_the_images():
    network, given = whole(), images().requires_grad_()
    network.module(given)[:, 0].sum().backward()
    expected = given.grad.clone()
    given.grad = None
    network.cut().module(given)[:, 0].sum().backward()
    assert torch.allclose(given.grad, expected, atol=1e-7)


def test_activations_are_remembered_once_it_is_cut():
    network, batch = whole(), images()
    network.cut()
    with network.remembering([batch]):
        assert network.activations(batch) is network.activations(batch)


def test_an_empty_module_is_a_network_too():
    network = whole_module(nn.Sequential(), classes=3, size=SIDE)
    assert network.device == torch.device("cpu")
    assert isinstance(network.module, nn.Module)
