"""What it costs to look, around a block of foreign code, whether anything was left changed.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_guard.py -s

The block is one forward pass of VGG-16 (138 million parameters, 224 px): an explanation takes
at least as long. The ratio is that of the block with and without the guard.
"""

import time

import pytest
import torch

from xbench.networks import blank_module, cut_classifier
from xbench.testing import guarded
from xbench_zoo.losses import CrossEntropy
from xbench_zoo.torchvision_models import Torchvision

CLASSES = 1000


@pytest.fixture(scope="module")
def network():
    classifier = Torchvision("vgg16")
    return cut_classifier(classifier, blank_module(classifier, CLASSES), CLASSES)


def guard(network, images):
    parts = [network.bottom, network.top]
    return guarded(CrossEntropy(), parts, 0, print, {"images": images})


@pytest.mark.parametrize("batch", [1, 8])
def test_a_guarded_block_against_the_same_unguarded(network, ratio, batch):
    images = torch.rand(batch, 3, 224, 224)

    def guarded_pass():
        with guard(network, images):
            network.logits(images)

    ratio(guarded_pass, lambda: network.logits(images))


def test_an_empty_block(network, benchmark):
    images = torch.rand(8, 3, 224, 224)

    def empty():
        with guard(network, images):
            pass

    benchmark.pedantic(empty, rounds=11, warmup_rounds=1)
    print(f"\n{1000 * benchmark.stats.stats.median:.0f} ms a block")


def test_plain_sums_of_the_same_bytes(network):
    tensors = [one for part in (network.bottom, network.top) for one in part.parameters()]
    seconds = []
    for _ in range(11):
        start = time.perf_counter()
        for one in tensors:
            one.detach().flatten().sum()
        seconds.append(time.perf_counter() - start)
    print(f"\n{1000 * sorted(seconds)[5]:.0f} ms for a plain sum of all parameters")
