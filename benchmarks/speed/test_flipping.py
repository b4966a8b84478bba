"""Deletion and insertion curves beside the forward passes that they cannot do without.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_flipping.py -s

The forward passes get the same edited images in the same batches, made beforehand; curves are
compared before they are measured. Beside them: the milliseconds of one mask's linear imputation
(ROAD), at several shares of missing pixels, in a random order and in that of a smooth map.
"""

import statistics
import time

import pytest
import torch

from xbench import generator
from xbench.networks import blank_module, whole_classifier
from xbench_saliency.flipping.edits import EditedImage, Editing
from xbench_saliency.kernels.blur import blurred
from xbench_saliency.kernels.imputation import linear_imputed
from xbench_zoo.small import SmallCnn
from xbench_zoo.torchvision_models import Torchvision

CASES = {
    "small-cnn, 96 px": (SmallCnn, 96, 101),
    "ResNet-18, 224 px": (lambda: Torchvision("resnet18"), 224, 9),
}
CLASSES, STEPS, BATCH = 20, 20, 16
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("baseline", ["blur", "mean"])
@pytest.mark.parametrize("case", CASES)
def test_curves_in_their_forward_passes(ratio, case, baseline):
    make, side, rounds = CASES[case]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        classifier = make()
        network = whole_classifier(classifier, blank_module(classifier, CLASSES).eval(), CLASSES)
    image = torch.rand(3, side, side, generator=generator("flipping", side))
    saliency = torch.rand(side, side, generator=generator("map", side))
    editing = Editing(baseline, STEPS, 1, 5, 0.1, 0.0)
    passes: list[torch.Tensor] = []

    def predict(images):
        return network.logits(images, [0] * len(images)).double()[:, :1].cpu()

    def noting(images):
        passes.append(images.clone())
        return predict(images)

    def curves(of=predict):
        return editing.curves(of, EditedImage(image, 0, 0), saliency, BATCH)

    def forwards():
        return torch.cat([predict(images) for images in passes])

    torch.testing.assert_close(curves(noting), curves())
    assert sum(map(len, passes)) == 2 * STEPS
    assert ratio(curves, forwards, rounds) <= 1.1


@pytest.mark.parametrize(("side", "promised"), [(96, 20), (224, 200)])
def test_milliseconds_of_an_imputation(side, promised):
    image = torch.rand(3, side, side, generator=generator("image", side), dtype=torch.float64)
    noise = torch.rand(1, 1, side, side, generator=generator("noise", side))
    orders = {"random": noise[0, 0], "smooth": blurred(noise, side / 16)[0, 0]}
    linear_imputed(image, orders["random"] > 0.5)  # the order of elimination is found once
    medians = []
    for name, values in orders.items():
        for share in SHARES:
            missing = values >= values.flatten().quantile(1 - share)
            medians.append(statistics.median(_milliseconds(image, missing) for _ in range(5)))
            print(f"\n{side} px, {name} order, {share:.0%} missing: {medians[-1]:.1f} ms", end="")
    print(f"\nmean {statistics.mean(medians):.1f} ms")
    assert statistics.mean(medians) <= promised


def _milliseconds(image, missing):
    start = time.perf_counter()
    linear_imputed(image, missing)
    return (time.perf_counter() - start) * 1000
