"""Concept scores of networks of tokens, or with channels last, against slow loops."""

import pytest
import torch

from tests.shared.token_networks import SIDE, ChannelsLastNetwork, TokenNetwork
from xbench import Batch, Concept, explained, generator
from xbench.networks import cut_module
from xbench_ces.banks.bank import ConceptBank, bottom_hash
from xbench_ces.scores.explainer import ConceptualExplanationScores

CLASSES, CONCEPTS = 5, 4
NETWORKS = {
    "two prefix tokens": lambda: TokenNetwork(CLASSES),
    "no prefix": lambda: TokenNetwork(CLASSES, prefix=0),
    "channels last": lambda: ChannelsLastNetwork(CLASSES),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_scores_are_those_of_a_loop_and_directions_move_prefix_tokens_too(name):
    torch.manual_seed(0)
    module = NETWORKS[name]().eval()
    torch.nn.init.normal_(module.head.weight, std=2.0)
    network = cut_module(module, classes=CLASSES, size=SIDE)
    images = torch.rand(2, 3, SIDE, SIDE, generator=generator("any"))
    shape = tuple(network.activations(images).shape[1:])
    assert shape[1:] == (network.grid[0] + network.extra_rows, network.grid[1])
    bank = ConceptBank(
        concepts=tuple(Concept(f"concept {place}", "settings") for place in range(CONCEPTS)),
        normals=torch.randn(CONCEPTS, shape[0] * shape[1] * shape[2]),
        accuracies=torch.ones(CONCEPTS, dtype=torch.float64),
        margins=1 + torch.rand(CONCEPTS, dtype=torch.float64),
        layer=network.layer,
        shape=shape,
        bottom=bottom_hash(network),
    )
    batch = Batch(images, (0, 1), torch.tensor([3, 1]))
    ces = ConceptualExplanationScores(step="margin", threshold=0.0)
    made = explained(ces, network, batch, {"bank": bank.artefact("bank")}, generator(0))
    activations = network.activations(images).double()
    top = network.top.double()
    for n, scores in enumerate(made):
        label = int(batch.labels[n])
        before = top(activations[n : n + 1]).softmax(1)[0, label]
        for c, normal in enumerate(bank.normals.double()):
            step = bank.margins[c] * normal / normal.norm()
            after = top(activations[n : n + 1] + step.reshape(1, *shape)).softmax(1)[0, label]
            assert float(scores.raw[c]) == pytest.approx(float(after - before), rel=1e-3, abs=2e-5)
        assert scores.raw.std() > 0
