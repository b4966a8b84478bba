"""Grad-CAM of networks of tokens, or with channels last, against slow loops."""

import pytest
import torch

from tests.shared.token_networks import SIDE, ChannelsLastNetwork, TokenNetwork
from xbench import Batch, explained, generator
from xbench.networks import cut_module
from xbench_saliency.cams.grad_cam import GradCam

CLASSES, GRID = 5, (4, 8)
NETWORKS = {
    "two prefix tokens": lambda: TokenNetwork(CLASSES),
    "no prefix": lambda: TokenNetwork(CLASSES, prefix=0),
    "channels last": lambda: ChannelsLastNetwork(CLASSES),
}


def slow_map(network, activations, label):
    """α_d the mean over the grid, one location after the other; what lies on none is held."""
    point = activations.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network.top(point)[0, label], point)
    height, width = GRID
    places = [(i, j) for i in range(height) for j in range(width)]
    weights = sum(slope[0, :, i, j] for i, j in places) / len(places)
    found = torch.zeros(GRID, dtype=torch.float64)
    for i, j in places:
        found[i, j] = max(0.0, float(weights @ activations[0, :, i, j]))
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_are_those_of_a_loop_over_the_grid(name):
    torch.manual_seed(0)
    network = cut_module(NETWORKS[name]().eval(), classes=CLASSES, size=SIDE)
    for part in network.parts:
        part.double()
    images = torch.rand(3, 3, SIDE, SIDE, generator=generator("any")).double()
    maps = explained(GradCam(), network, Batch(images, (0, 1, 2)), {}, generator(0))
    for n, one in enumerate(maps):
        activations = network.activations(images[n : n + 1])
        expected = slow_map(network, activations, one.label)
        assert one.values.shape == GRID
        assert expected.std() > 0
        torch.testing.assert_close(one.values.double(), expected, rtol=1e-5, atol=1e-7)
