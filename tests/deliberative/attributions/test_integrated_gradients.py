"""Integrated gradients against captum, a slow loop, and completeness."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from captum.attr import LayerIntegratedGradients
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from small_networks import Whole
from xbench import Batch, Link, Network, Readout
from xbench.kernels import gauss_legendre, right_riemann
from xbench_deliberative.attributions.integrated_gradients import IntegratedGradients
from xbench_deliberative.readouts import (
    ClassProbabilities,
    EvaluatedTop,
    hesitancy,
    normalised_entropy,
)


@dataclass(frozen=True)
class OfOneImage:
    """Probabilities of the same classes for any number of images: captum's steps."""

    classes: Tensor

    def __call__(self, logits: Tensor) -> Tensor:
        return ClassProbabilities(self.classes.expand(len(logits), -1))(logits)


@pytest.mark.parametrize("steps", [1, 5, 50])
@pytest.mark.parametrize("link", [hesitancy, normalised_entropy, None])
def test_layer_path_equals_captum_layer_integrated_gradients(
    network: Network, batch: Batch, link: Link | None, steps: int
) -> None:
    for place in range(2):
        images = batch.images[place : place + 1]
        classes = network.logits(images).argsort(1, descending=True)[:, :5]
        every = link or OfOneImage(classes)
        oracle = LayerIntegratedGradients(
            Whole(Readout(network.bottom, network.top, every)), network.bottom
        )
        readout = Readout(network.bottom, network.top, link or ClassProbabilities(classes))
        activations = network.activations(images)
        ours = IntegratedGradients(steps=steps).attribute(readout, activations, images)
        for prediction in range(ours.shape[1]):
            theirs = oracle.attribute(
                images, torch.zeros_like(images), target=prediction, n_steps=steps
            )
            assert torch.allclose(
                ours[:, prediction], theirs.sum(1), atol=1e-5 * theirs.abs().max()
            )


def slow_image_path(readout: Readout, image: Tensor, prediction: int, steps: int) -> Tensor:
    """Gradients at one image after the other, in double precision."""
    start = readout.bottom(torch.zeros_like(image)[None]).double()
    end = readout.bottom(image[None]).double()
    total = torch.zeros_like(end)
    for i in range(1, steps + 1):
        point = readout.bottom(image[None] * (i / steps)).double().requires_grad_()
        score = readout.link(readout.top(point))[0, prediction]
        total += torch.autograd.grad(score, point)[0] / steps
    result = torch.zeros(end.shape[2:], dtype=torch.float64)
    for channel in range(end.shape[1]):
        result += total[0, channel] * (end - start)[0, channel]
    return result


@pytest.mark.parametrize("positive", [False, True])
def test_image_path_equals_its_slow_twin(network: Network, batch: Batch, positive: bool) -> None:
    bottom, top = network.bottom.double(), network.top.double()
    images = batch.images[:2].double()
    readout = Readout(bottom, top, normalised_entropy)
    attribution = IntegratedGradients("image", steps=7)
    maps = attribution.attribute(readout, bottom(images), images)
    for n in range(2):
        wanted = slow_image_path(readout, images[n], 0, 7)
        assert torch.allclose(maps[n, 0], wanted, atol=1e-14)
    if positive:
        restricted = attribution.with_positive_gradients()
        assert restricted == IntegratedGradients("image", 7, "positive")
        raised = restricted.attribute(readout, bottom(images), images)
        difference = bottom(images) - bottom(torch.zeros_like(images))
        above = (difference >= 0).all(1, keepdim=True)
        assert above.any()
        assert (raised >= maps)[above].all()


@pytest.mark.parametrize("path", ["layer", "image"])
def test_maps_sum_to_the_change_along_the_path(path: str) -> None:
    """Of a readout whose gradient is the same everywhere; of others with many steps."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(3, 3, 4, 4, generator=generator, dtype=torch.float64)
    bottom = nn.AvgPool2d(2)
    top = nn.Sequential(nn.Flatten(), nn.Linear(12, 5, bias=False)).double()
    readout = Readout(bottom, top.requires_grad_(requires_grad=False), hesitancy)
    steps = {"layer": 50, "image": 1000}[path]
    maps = IntegratedGradients(path, steps).attribute(readout, bottom(images), images)
    change = readout.predictions(images) - readout.predictions(torch.zeros_like(images))
    assert torch.allclose(maps.sum((2, 3)), change, atol={"layer": 1e-9, "image": 2e-4}[path])


@pytest.mark.parametrize("path", ["layer", "image"])
def test_a_black_image_has_zero_maps(network: Network, batch: Batch, path: str) -> None:
    images = torch.zeros_like(batch.images)
    readout = Readout(network.bottom, network.top, normalised_entropy)
    maps = IntegratedGradients(path, 3).attribute(readout, network.activations(images), images)
    assert maps.shape == (8, 1, 10, 10)
    assert not maps.any()


@pytest.mark.parametrize("path", ["layer", "image"])
def test_several_images_are_integrated_as_one_by_one(
    network: Network, batch: Batch, path: str
) -> None:
    attribution = IntegratedGradients(path, 4)
    top = EvaluatedTop(network.top, network.activations(batch.images))
    readout = Readout(network.bottom, top, normalised_entropy)
    together = attribution.attribute(readout, top.point, batch.images)
    assert not together.requires_grad
    for n in range(3):
        image = batch.images[n : n + 1]
        alone = attribution.attribute(readout, top.point[n : n + 1], image)
        assert torch.allclose(together[n], alone[0], atol=1e-7)


def test_steps_cost_one_forward_of_the_top_each_and_images_one_of_the_bottom(
    network: Network, batch: Batch
) -> None:
    readout = Readout(network.bottom, network.top, hesitancy)
    activations = network.activations(batch.images)
    for path, bottoms in (("layer", 1), ("image", 6)):
        before = network.passes.snapshot()
        IntegratedGradients(path, 5).attribute(readout, activations, batch.images)
        after = network.passes.snapshot()
        assert after["top_forward"] - before["top_forward"] == 5 * 8
        assert after["bottom_forward"] - before["bottom_forward"] == bottoms * 8


@given(st.integers(1, 12), st.integers(0, 23))
def test_gauss_legendre_is_exact_for_polynomials(steps: int, degree: int) -> None:
    points, weights = gauss_legendre(steps)
    integral = float((weights * points**degree).sum())
    if degree < 2 * steps:
        assert np.isclose(integral, 1 / (degree + 1), atol=1e-13)
    assert np.isclose(float(weights.sum()), 1)
    assert ((points > 0) & (points < 1)).all()


@given(st.integers(1, 60))
def test_right_riemann_ends_at_the_end_and_misses_the_start(steps: int) -> None:
    points, weights = right_riemann(steps)
    assert points.tolist() == [i / steps for i in range(1, steps + 1)]
    assert weights.tolist() == [1 / steps] * steps


def test_a_path_has_steps() -> None:
    with pytest.raises(ValueError, match="steps must be at least 1, not 0"):
        IntegratedGradients(steps=0)
