"""Gradient × activation against captum, against finite formulas, and in the degenerate cases."""

import pytest
import torch
from captum.attr import LayerGradientXActivation
from torch import nn

from small_networks import Whole
from xbench import Batch, Network, Readout
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.kernels.gradients import gradient_times_activation, prediction_gradients
from xbench_deliberative.readouts import (
    ClassLogits,
    ClassProbabilities,
    EvaluatedTop,
    Joined,
    hesitancy,
    normalised_entropy,
)


@pytest.mark.parametrize("link", [hesitancy, normalised_entropy, None])
def test_gradient_equals_captum_layer_gradient_times_activation(
    network: Network, batch: Batch, link: object
) -> None:
    classes = network.logits(batch.images).argsort(1, descending=True)[:, :5]
    readout = Readout(network.bottom, network.top, link or ClassProbabilities(classes))
    ours = Gradient().attribute(readout, network.activations(batch.images), batch.images)
    oracle = LayerGradientXActivation(Whole(readout), network.bottom)
    for prediction in range(ours.shape[1]):
        theirs = oracle.attribute(batch.images.requires_grad_(), target=prediction).sum(1)
        assert torch.allclose(ours[:, prediction], theirs, atol=1e-6, rtol=1e-6)
        scale = theirs.abs().max()
        assert (ours[:, prediction] - theirs).abs().max() <= 1e-5 * scale


def test_gradient_of_logits_sums_to_the_logit_of_a_bias_free_linear_top() -> None:
    top = nn.Sequential(nn.Flatten(), nn.Linear(2 * 3 * 3, 4, bias=False)).double()
    activations = torch.rand(5, 2, 3, 3, dtype=torch.float64)
    classes = torch.arange(4).expand(5, 4)
    readout = Readout(nn.Identity(), top, ClassLogits(classes))
    maps = Gradient().attribute(readout, activations, torch.rand(5, 3, 3, 3))
    assert torch.allclose(maps.sum((2, 3)), top(activations))


def slow_maps(predictions: torch.Tensor, activations: torch.Tensor, positive: bool) -> torch.Tensor:
    """One product after the other, one location after the other."""
    n, d, h, w = activations.shape
    maps = torch.zeros(n, predictions.shape[1], h, w, dtype=activations.dtype)
    for p in range(predictions.shape[1]):
        (g,) = torch.autograd.grad(predictions[:, p].sum(), activations, retain_graph=True)
        for image in range(n):
            for i in range(h):
                for j in range(w):
                    for c in range(d):
                        slope = g[image, c, i, j]
                        if positive and slope < 0:
                            continue
                        maps[image, p, i, j] += slope * activations[image, c, i, j].detach()
    return maps


@pytest.mark.parametrize("positive", [False, True])
def test_gradient_times_activation_equals_its_slow_twin(positive: bool) -> None:
    generator = torch.Generator().manual_seed(3)
    activations = torch.randn(2, 3, 2, 2, generator=generator, dtype=torch.float64)
    activations.requires_grad_()
    weights = torch.randn(12, 4, generator=generator, dtype=torch.float64)
    predictions = (activations.flatten(1) @ weights).tanh()
    fast = gradient_times_activation(predictions, activations, "positive" if positive else "all")
    assert torch.allclose(fast, slow_maps(predictions, activations, positive), atol=1e-14)


def test_positive_gradients_are_never_below_all_gradients_on_rectified_activations(
    network: Network, batch: Batch
) -> None:
    readout = Readout(network.bottom, network.top, hesitancy)
    activations = network.activations(batch.images)
    every = Gradient().attribute(readout, activations, batch.images)
    positive = Gradient(gradients="positive").attribute(readout, activations, batch.images)
    assert (positive >= every).all()
    assert (positive >= 0).all()


def test_attributions_of_images_do_not_depend_on_the_batch(network: Network, batch: Batch) -> None:
    readout = Readout(network.bottom, network.top, normalised_entropy)
    activations = network.activations(batch.images)
    together = Gradient().attribute(readout, activations, batch.images)
    alone = torch.cat(
        [
            Gradient().attribute(readout, activations[i : i + 1], batch.images[i : i + 1])
            for i in range(len(activations))
        ]
    )
    assert torch.allclose(together, alone, atol=1e-7)


def test_an_evaluated_top_runs_once_at_its_point_and_computes_elsewhere(
    network: Network, batch: Batch
) -> None:
    activations = network.activations(batch.images)
    before = network.passes.top_forward
    top = EvaluatedTop(network.top, activations)
    for _ in range(3):
        Gradient().attribute(Readout(network.bottom, top, hesitancy), top.point, batch.images)
    assert network.passes.top_forward - before == len(activations)
    assert torch.equal(top(activations * 2), network.top(activations * 2))


def test_joined_links_give_what_each_gives(network: Network, batch: Batch) -> None:
    logits = network.logits(batch.images)
    joined = Joined((hesitancy, normalised_entropy))(logits)
    assert torch.equal(joined, torch.cat([hesitancy(logits), normalised_entropy(logits)], 1))


def test_gradients_of_predictions_that_ignore_the_activations_are_zero() -> None:
    activations = torch.rand(2, 3, 4, 4, requires_grad=True)
    predictions = activations.sum((1, 2, 3))[:, None] * torch.zeros(1, 3)
    assert not prediction_gradients(predictions, activations).any()
