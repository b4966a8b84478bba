"""Networks of tokens, or with channels last, against slow loops over the locations of the grid."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from tests.shared.token_networks import SIDE, ChannelsLastNetwork, TokenNetwork
from xbench import Batch, Readout, explained, generator
from xbench.networks import cut_module
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.attributions.gradient_hessian import GradientHessian
from xbench_deliberative.difficulties.self_referential import Entropy, Hesitancy
from xbench_deliberative.explanations.explainer import Deliberative
from xbench_deliberative.protocol.floors import MostProbable, RandomPair
from xbench_deliberative.readouts import ClassProbabilities, Joined, normalised_entropy

CLASSES, GRID, WIDTH = 5, (4, 8), 6
NETWORKS = {
    "two prefix tokens": lambda: TokenNetwork(CLASSES),
    "the library's attention": lambda: TokenNetwork(CLASSES, library=True),
    "no prefix": lambda: TokenNetwork(CLASSES, prefix=0),
    "channels last": lambda: ChannelsLastNetwork(CLASSES),
}


def network_of(name, layer="", seed=1):
    """In double precision, its classes told apart clearly."""
    torch.manual_seed(seed)
    module = NETWORKS[name]().eval()
    torch.nn.init.normal_(module.head.weight, std=2.0)
    network = cut_module(module, classes=CLASSES, size=SIDE, layer=layer)
    for part in network.parts:
        part.double()
    return network


def batch_of(count=2):
    images = torch.rand(count, 3, SIDE, SIDE, generator=generator("any")).double()
    return Batch(images, tuple(range(count)))


def slow_maps(network, activations, link):
    """Eq. (2) of each location of the grid, one after the other, with a dense Hessian of its own.

    All other locations, and what lies on none, are held.
    """
    height, width = network.grid
    count = link(network.top(activations)).shape[1]
    maps = torch.zeros(len(activations), count, height, width, dtype=torch.float64)
    for n in range(len(activations)):
        for i in range(height):
            for j in range(width):
                for p in range(count):

                    def score(own, n=n, i=i, j=j, p=p):
                        moved = activations.clone()
                        moved[n, :, i, j] = own
                        return link(network.top(moved))[n, p]

                    own = activations[n, :, i, j]
                    with sdpa_kernel(SDPBackend.MATH):
                        slope = torch.autograd.functional.jacobian(score, own)
                        hessian = torch.autograd.functional.hessian(score, own)
                    maps[n, p, i, j] = slope @ own + own @ hessian @ own / 2
    return maps


@pytest.mark.parametrize("name", NETWORKS)
def test_second_order_maps_are_those_of_a_dense_hessian(name):
    layer = {"channels last": "permute"}.get(name, "first.add")
    network, batch = network_of(name, layer), batch_of(1)
    activations = network.activations(batch.images)
    link = Joined((ClassProbabilities(torch.tensor([[3, 1]])), normalised_entropy))
    readout = Readout(network.bottom, network.top, link)
    maps = GradientHessian().attribute(readout, activations, batch.images)
    assert maps.shape[2:] == activations.shape[2:]
    expected = slow_maps(network, activations, link)
    assert expected.abs().min() > 0
    on_picture = maps[:, :, : GRID[0]]
    torch.testing.assert_close(on_picture, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", NETWORKS)
def test_deliberative_explanations_are_those_of_a_loop_over_locations(name):
    network, batch = network_of(name), batch_of(6)
    made = explained(Deliberative(Hesitancy(), Gradient(), top=3), network, batch, {}, generator(0))
    assert sum(map(len, made)) > 2
    activations = network.activations(batch.images)
    logits = network.logits(batch.images)
    classes = logits.argsort(1, descending=True)[:, :3]
    for n, insecurities in enumerate(made):
        point = activations[n : n + 1].clone().requires_grad_()
        shares = network.top(point).softmax(1)[0]
        scores = [shares[c] for c in classes[n]] + [1 - shares.max()]
        maps = torch.zeros(4, *GRID, dtype=torch.float64)
        for p, score in enumerate(scores):
            (slope,) = torch.autograd.grad(score, point, retain_graph=True)
            for i in range(GRID[0]):
                for j in range(GRID[1]):
                    maps[p, i, j] = max(0.0, float(slope[0, :, i, j] @ activations[n, :, i, j]))
        assert insecurities.ambiguity_maps.shape[1:] == GRID
        for q, pair in enumerate(insecurities.pairs.tolist()):
            a, b = (classes[n].tolist().index(label) for label in pair)
            expected = maps[a] * maps[b] * maps[3]
            assert expected.std() > 0
            assert float(insecurities.strengths[q]) == pytest.approx(float(expected.mean()))
            scaled = (expected / expected.max()).float()
            torch.testing.assert_close(insecurities.ambiguity_maps[q], scaled)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("preset", ["paper", "official"])
def test_no_explanation_has_more_rows_than_the_picture(name, preset):
    network, batch = network_of(name), batch_of(2)
    explainers = [
        Deliberative(Entropy(), GradientHessian(), preset=preset, without_difficulty=True),
        MostProbable(),
        RandomPair(pairs=2),
    ]
    for explainer in explainers:
        for one in explained(explainer, network, batch, {}, generator(0)):
            assert one.ambiguity_maps.shape[1:] == GRID
