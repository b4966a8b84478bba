"""What it costs to cut a network, the first time and from then on.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_cut.py -s

In forward passes of two images of the same network: the first time the cut's gradient is
compared with the network's, afterwards its values alone.
"""

import statistics
import time

import pytest
import torch

from xbench.networks import blank_module, whole_classifier
from xbench_zoo.torchvision_models import Torchvision

CLASSES, ROUNDS = 1000, 5


@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_a_first_and_a_second_cut_beside_forward_passes(name, tmp_path, monkeypatch):
    classifier = Torchvision(name)
    module = blank_module(classifier, CLASSES)
    images = torch.rand(2, 3, 224, 224)
    ratios: dict[str, list[float]] = {"first": [], "second": []}
    for place in range(ROUNDS):
        monkeypatch.setenv("XBENCH_HOME", str(tmp_path / str(place)))
        network = whole_classifier(classifier, module, CLASSES)
        passed = seconds(lambda network=network: network.logits(images))
        for which, every in ratios.items():
            network = whole_classifier(classifier, module, CLASSES)
            took = seconds(network.cut)
            every.append(took / passed)
            print(f"{name}, {which} cut: {took:.2f} s, a pass of two images {passed:.2f} s")
    for which, every in ratios.items():
        shown = ", ".join(f"{ratio:.1f}" for ratio in sorted(every))
        print(f"{name}, {which} cut: {statistics.median(every):.1f} passes of two images [{shown}]")


def seconds(work) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
