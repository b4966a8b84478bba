"""What a deliberative explanation costs, in forward passes of its classifier.

pytest benchmarks/speed/test_deliberative.py -s
"""

import resource

import pytest
import torch

from xbench import Batch, generator
from xbench.networks import cut_classifier
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.difficulties.self_referential import Entropy
from xbench_deliberative.explanations.explainer import Deliberative
from xbench_zoo.torchvision_models import Torchvision

CLASSES = 200


@pytest.fixture(scope="module")
def network():
    classifier = Torchvision("vgg16_bn")
    return cut_classifier(classifier, classifier.module(CLASSES), CLASSES)


def images(count, seed=0):
    pixels = torch.rand(count, 3, 224, 224, generator=generator("images", seed))
    return Batch(pixels, tuple(range(count)))


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("preset", ["paper", "official"])
def test_explanation_in_forward_passes(network, ratio, preset, batch_size):
    explainer = Deliberative(Entropy(), Gradient(), preset=preset, top=5)
    batch = images(batch_size)
    made = ratio(
        lambda: explainer.explain(network, batch, {}, generator(0), {}),
        lambda: network.logits(batch.images),
    )
    assert made > 0


def test_peak_memory_does_not_grow_with_the_number_of_images(network, benchmark):
    explainer = Deliberative(Entropy(), Gradient())

    def explain(count):
        for seed in range(count):
            explainer.explain(network, images(4, seed), {}, generator(0), {})
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    few = explain(3)
    many = benchmark.pedantic(explain, (12,), rounds=1)
    benchmark.extra_info["peak_mib"] = {"12 images": few, "60 images": many}
    print(f"\npeak memory {few:.0f} MiB after 12 images, {many:.0f} MiB after 60")
    assert many < few * 1.05
