"""What scores of 170 concepts cost, in forward passes of the network, its own forward included.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_concept_scores.py -s

What a loop over the concepts costs stands beside it, in the same unit.
"""

import resource

import pytest
import torch

from xbench import Batch, Concept, generator
from xbench.networks import blank_module, cut_classifier
from xbench_ces.banks.bank import ConceptBank
from xbench_ces.scores.explainer import ConceptualExplanationScores
from xbench_zoo.torchvision_models import Torchvision

CONCEPTS, CLASSES, SIDE = 170, 1000, 224
CES = ConceptualExplanationScores(threshold=0.0)
SETTINGS = {
    "squeezenet1_1, default layer": ("squeezenet1_1", "", 2.5),
    "squeezenet1_1, paper's layer": ("squeezenet1_1", "features.11", None),
    "resnet18, avgpool": ("resnet18", "avgpool", 1.1),
    "resnet18, default layer": ("resnet18", "", None),
    "vgg11, default layer": ("vgg11", "", None),
}


def prepared(name, layer):
    """A network with random weights, and a bank of random directions."""
    classifier = Torchvision(name, layer=layer)
    network = cut_classifier(classifier, blank_module(classifier, CLASSES), CLASSES)
    shape = tuple(network.activations(images(1).images).shape[1:])
    source = generator("bank")
    bank = ConceptBank(
        concepts=tuple(Concept(f"concept {place}", "any") for place in range(CONCEPTS)),
        normals=torch.randn(CONCEPTS, torch.Size(shape).numel(), generator=source),
        accuracies=torch.ones(CONCEPTS, dtype=torch.float64),
        margins=torch.ones(CONCEPTS, dtype=torch.float64),
        layer=network.layer,
        shape=shape,
    )
    return network, {"bank": bank.artefact("bank")}, bank.displacements("margin").view(-1, *shape)


def images(count, seed=0):
    pixels = torch.rand(count, 3, SIDE, SIDE, generator=generator("images", seed))
    return Batch(pixels, tuple(range(count)), torch.arange(count))


def loop(network, batch, displacements):
    """One concept after the other."""
    with torch.no_grad():
        activations = network.activations(batch.images)
        return [network.top(activations + displacement) for displacement in displacements]


@pytest.mark.parametrize("setting", SETTINGS)
def test_loop_over_concepts_in_forward_passes(ratio, setting):
    network, _, displacements = prepared(*SETTINGS[setting][:2])
    batch = images(1)
    made = ratio(
        lambda: loop(network, batch, displacements), lambda: network.logits(batch.images), 3
    )
    assert made > 1


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("setting", SETTINGS)
def test_scores_in_forward_passes(ratio, setting, count):
    name, layer, promised = SETTINGS[setting]
    network, artefacts, _ = prepared(name, layer)
    batch = images(count)
    made = ratio(
        lambda: CES.explain(network, batch, artefacts, generator(0), {}),
        lambda: network.logits(batch.images),
    )
    assert promised is None or made <= promised, "more than the documented number of forwards"


def test_peak_memory_does_not_grow_with_the_number_of_images(benchmark):
    network, artefacts, _ = prepared("squeezenet1_1", "")

    def explain(count):
        for seed in range(count):
            CES.explain(network, images(4, seed), artefacts, generator(0), {})
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    few = explain(2)
    many = benchmark.pedantic(explain, (6,), rounds=1)
    print(f"\npeak memory {few:.0f} MiB after 8 images, {many:.0f} MiB after 32")
    assert many < few * 1.05
