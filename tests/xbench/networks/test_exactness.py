"""A cut keeps values bit for bit, and gradients, or is refused."""

import pytest
import torch

from tests.shared.awkward_networks import (
    SIDE,
    AddsInPlace,
    AssignsItems,
    Detached,
    OwnBackward,
    WithoutGradients,
    plain,
)
from xbench import CutError
from xbench.networks.exactness import check_exact, smooth_picture
from xbench.networks.loading import whole_module

CLASSES = 8


def images(count=2):
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(7))


def whole(module, layer=""):
    return whole_module(module, classes=CLASSES, size=SIDE, layer=layer)


@pytest.mark.parametrize("module", [OwnBackward, WithoutGradients])
def test_a_cut_that_would_change_gradients_is_refused_and_the_network_stays_whole(module):
    network = whole(module(CLASSES))
    before = network.logits(images())
    with pytest.raises(CutError, match="has another gradient than before"):
        network.cut()
    assert torch.equal(network.logits(images()), before)


def test_operations_in_place_are_cut_exactly():
    network = whole(AddsInPlace(CLASSES), layer="first.1")
    before = network.logits(images())
    assert torch.equal(network.cut().logits(images()), before)
    assert network.notes == [
        "its own code cannot be differentiated: that its cut has its gradient is not shown"
    ]


def test_what_cannot_be_traced_is_named_and_runs_whole():
    network = whole(AssignsItems(CLASSES))
    with pytest.raises(CutError, match=r"AssignsItems cannot be traced, and so not cut: .*item"):
        network.cut()
    assert network.logits(images()).shape == (2, CLASSES)


def test_a_gradient_of_zero_on_both_sides_is_said_to_show_nothing():
    network = whole(Detached(CLASSES))
    network.cut()
    assert network.notes == [
        "its gradient is zero, cut or not: that shows nothing of how exact the cut is"
    ]


def test_an_exact_cut_has_nothing_to_say():
    network = whole(plain(CLASSES))
    network.cut()
    assert network.notes == []


def test_a_small_difference_of_gradients_is_none():
    linear = plain(CLASSES).eval()
    assert check_exact(linear, linear, images()) == []

    def other(given):
        made = linear(given)
        return made + 0 * made.detach() + 1e-4 * (made - made.detach())

    with pytest.raises(CutError, match="the network has another gradient"):
        check_exact(linear, other, images())


def test_another_value_is_refused_whatever_its_gradient():
    linear = plain(CLASSES).eval()
    with pytest.raises(CutError, match="computes something else"):
        check_exact(linear, lambda given: linear(given) + 1e-3, images())


def test_the_smooth_picture_has_the_range_of_the_example_and_no_edges():
    example = 4 * images() - 1
    picture = smooth_picture(example)
    assert picture.shape == (1, 3, SIDE, SIDE)
    assert example.min() <= picture.min()
    assert picture.max() <= example.max()
    assert picture.diff(dim=3).abs().max() < 0.5 * (example.max() - example.min())
