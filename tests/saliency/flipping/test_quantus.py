"""Quantus as an oracle, where it is installed: its curves, and its linear imputation.

Only those of its metrics that work with its version 0.6 are asked (docs/pixel-flipping.md).
"""

import warnings
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from xbench import generator
from xbench.testing import tiny_batch, tiny_network
from xbench_saliency.flipping.edits import mean_curves
from xbench_saliency.flipping.values import Value
from xbench_saliency.kernels.imputation import linear_imputed
from xbench_saliency.kernels.order import random_orders, removal_steps

SETTINGS = {"normalise": False, "disable_warnings": True, "perturb_baseline": "black"}
COUNT, SIZE = 6, (16, 16)


@pytest.fixture(scope="module")
def quantus():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(
            "quantus", reason="Quantus is not installed: pip install quantus"
        )


class Grey(nn.Module):
    """The tiny network on images of one channel: Quantus takes channels for pixels of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.network = tiny_network()

    def forward(self, images):
        return self.network.top(self.network.bottom(images.expand(-1, 3, -1, -1)))


def colour():
    network = tiny_network()
    return nn.Sequential(network.bottom, network.top)


def given(*, grey: bool):
    images = tiny_batch(COUNT).images[:, : 1 if grey else 3]
    module = (Grey() if grey else colour()).eval()
    with torch.no_grad():
        classes = module(images).argmax(1)
    maps = torch.randn(COUNT, 1, *SIZE, generator=generator("quantus"))
    return module, images, classes, maps


def ours(module, image, label, saliency, block, steps):
    orders = random_orders(1, SIZE, block, generator("quantus"))
    removals = removal_steps(saliency, orders, steps, block)

    def predict(images):
        with torch.no_grad():
            logits = module(images).double()
        return Value(label, None).read(logits, logits.softmax(1))

    def blackened(sets):  # its "black" is the smallest value of the image
        return torch.where(sets[:, None] > 0, image.min(), image)

    return mean_curves(predict, removals, blackened, steps, 99).numpy()


def theirs(metric, module, images, classes, maps, *, softmax):
    arrays = {"x_batch": images.numpy(), "y_batch": classes.numpy(), "a_batch": maps.numpy()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.stack(metric(model=module, **arrays, device="cpu", softmax=softmax))


def all_of_ours(module, images, classes, maps, block, steps):
    triples = zip(images, classes.tolist(), maps[:, 0], strict=True)
    return np.stack([ours(module, *triple, block, steps) for triple in triples])


def test_deletion_is_its_pixel_flipping(quantus):
    parts = given(grey=True)
    metric = quantus.PixelFlipping(features_in_step=64, **SETTINGS)
    found = all_of_ours(*parts, block=1, steps=4)
    expected = theirs(metric, *parts, softmax=True)
    np.testing.assert_allclose(found[:, 0, 1:, 0], expected, atol=1e-6)


@pytest.mark.parametrize(("softmax", "scale"), [(True, 0), (False, 1)])
@pytest.mark.parametrize("grey", [True, False])
def test_blocks_are_its_region_perturbation_and_selectivity(quantus, softmax, scale, grey):
    parts = given(grey=grey)
    curves = all_of_ours(*parts, block=4, steps=16)[..., scale]
    most_first, least_first = curves[:, 0], curves[:, 1, ::-1]
    settings = {"patch_size": 4, "regions_evaluation": 16, **SETTINGS}
    for order, curve in (("morf", most_first), ("lerf", least_first)):
        metric = quantus.RegionPerturbation(order=order, **settings)
        expected = theirs(metric, *parts, softmax=softmax)
        np.testing.assert_allclose(curve[:, :1] - curve[:, 1:], expected, atol=1e-5)
    selectivity = partial(theirs, quantus.Selectivity(patch_size=4, **SETTINGS), *parts)
    np.testing.assert_allclose(most_first[:, 1:], selectivity(softmax=softmax), atol=1e-5)


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_linear_imputation_is_its_own_without_noise(quantus, share):
    from quantus.functions.perturb_func import noisy_linear_imputation

    image = torch.rand(3, *SIZE, generator=generator("imputed"), dtype=torch.float64)
    missing = torch.rand(SIZE, generator=generator("missing", share)) < share
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        places = missing.flatten().nonzero()[:, 0].numpy()
        expected = noisy_linear_imputation(image.numpy(), places, noise=0.0)
    np.testing.assert_allclose(linear_imputed(image, missing).numpy(), expected, atol=1e-10)
