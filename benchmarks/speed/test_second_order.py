"""What second-order attribution costs, in forward passes and against torch's own `vhp`.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_second_order.py -s

Attributions get activations whose top was evaluated, as explainers give them. Hessian-vector
products are measured for one location of one prediction; the time for all is that times
their number.
"""

import time
from typing import NamedTuple

import pytest
import torch
from torch import nn

from xbench import Readout, generator
from xbench.networks import blank_module, cut_classifier
from xbench_deliberative.attributions.gradient import Gradient
from xbench_deliberative.attributions.gradient_hessian import GradientHessian
from xbench_deliberative.kernels import second_order
from xbench_deliberative.readouts import (
    ClassProbabilities,
    EvaluatedTop,
    Joined,
    normalised_entropy,
)
from xbench_zoo.torchvision_models import Torchvision

CLASSES, LISTED = 200, 5
UNIFORM = 5.3
"""Entropy, in nats, of the posterior that random weights give over 200 classes."""


class Task(NamedTuple):
    """A readout of five classes and the entropy, as the explainer asks for it."""

    readout: Readout
    images: torch.Tensor

    def attribute(self, attribution):
        return attribution.attribute(self.readout, self.readout.top.point, self.images)


@pytest.fixture
def network():
    """VGG16-BN with the same random weights every time."""
    classifier = Torchvision("vgg16_bn")
    return cut_classifier(classifier, blank_module(classifier, CLASSES), CLASSES)


def entropy(logits):
    return float(torch.distributions.Categorical(logits=logits.double()).entropy().mean())


def sharpen(network, images, nats):
    """Scale the last layer, around the mean of the logits, until the entropy is as given."""
    logits = network.logits(images)
    low, high = -40.0, 40.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if entropy(logits * 2**middle) > nats else (low, middle)
    head = [layer for layer in network.top.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        head.weight *= 2**low
        head.bias *= 2**low


def task(network, batch_size):
    images = torch.rand(batch_size, 3, 224, 224, generator=generator("images"))
    top = EvaluatedTop(network.top, network.activations(images))
    classes = top.logits.detach().argsort(1, descending=True)[:, :LISTED]
    link = Joined((ClassProbabilities(classes), normalised_entropy))
    return Task(Readout(network.bottom, top, link), images)


def described(made):
    logits = made.readout.top.logits.detach()
    ranked = logits.softmax(1).sort(1, descending=True).values
    kept = (ranked.cumsum(1) < 1 - GradientHessian().left_out).sum(1) + 1
    return f"entropy {entropy(logits):.2f} nats, {kept.tolist()} of {logits.shape[1]} classes kept"


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("nats", [1.0, 2.0, 3.0, UNIFORM])
def test_closed_form_in_forward_passes(network, ratio, nats, batch_size):
    images = torch.rand(batch_size, 3, 224, 224, generator=generator("images"))
    if nats < UNIFORM:
        sharpen(network, images, nats)
    made = task(network, batch_size)
    print(f"\n{batch_size} images, {described(made)}")
    cost = ratio(lambda: made.attribute(GradientHessian()), lambda: network.logits(images))
    assert cost <= 1.6 or nats > 2, "more than the documented number of forward passes"


@pytest.mark.parametrize("batch_size", [1, 4])
def test_first_order_in_forward_passes(network, ratio, batch_size):
    made = task(network, batch_size)
    assert ratio(lambda: made.attribute(Gradient()), lambda: network.logits(made.images)) > 0


def one_product(made, prediction):
    """A Hessian-vector product of the first image for its first location."""
    point = made.readout.top.point.detach()[:1]
    ray = torch.zeros_like(point)
    ray[:, :, 0, 0] = point[:, :, 0, 0]
    classes = made.readout.link.links[0].classes[:1]
    link = Joined((ClassProbabilities(classes), normalised_entropy))
    top = made.readout.top.top

    def score(activations):
        return link(top(activations))[0, prediction]

    return torch.autograd.functional.vhp(score, point, ray)


@pytest.mark.parametrize("curvature", ["closed-form", "general"])
def test_hessian_vector_products_against_vgg(network, ratio, curvature):
    made = task(network, 1)
    attribution = GradientHessian(curvature=curvature)
    rounds = 5 if curvature == "closed-form" else 2
    products = 196 * (LISTED + 1)
    cost = ratio(lambda: made.attribute(attribution), lambda: one_product(made, 0), rounds)
    print(f"{products} products cost {products / cost:.0f} times as much as {curvature}")
    assert products / cost >= (100 if curvature == "closed-form" else 1)


class Tokens(nn.Module):
    """One transformer block over 7×7 locations, and a linear head."""

    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(64), nn.LayerNorm(64)])
        self.attention = nn.MultiheadAttention(64, 4, batch_first=True)
        self.network = nn.Sequential(nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 64))
        self.head = nn.Linear(64, CLASSES)

    def forward(self, activations):
        tokens = activations.flatten(2).transpose(1, 2)
        within = self.norms[0](tokens)
        tokens = tokens + self.attention(within, within, within, need_weights=False)[0]
        return self.head((tokens + self.network(self.norms[1](tokens))).mean(1))


def test_general_path_against_hessian_vector_products(ratio):
    from torch.nn.attention import SDPBackend, sdpa_kernel

    top = Tokens().eval().requires_grad_(requires_grad=False)
    activations = torch.rand(1, 64, 7, 7, generator=generator("activations"))
    classes = torch.arange(LISTED)[None]
    link = Joined((ClassProbabilities(classes), normalised_entropy))
    made = Task(Readout(nn.Identity(), EvaluatedTop(top, activations), link), activations[:, :3])

    def product():
        with sdpa_kernel(SDPBackend.MATH):  # vhp has no derivative of the others
            return one_product(made, 0)

    products = 49 * (LISTED + 1)
    cost = ratio(lambda: made.attribute(GradientHessian()), product)
    print(f"{products} products cost {products / cost:.0f} times as much as the general path")
    print(f"those of one prediction alone {49 / cost:.1f} times")
    assert products / cost >= 1


def test_proving_piecewise_linearity(network, benchmark):
    from xbench.networks import first_nonlinearity

    start = time.perf_counter()
    benchmark.pedantic(lambda: first_nonlinearity(network.top), rounds=5)
    print(f"\n{(time.perf_counter() - start) / 5 * 1000:.2f} ms")


@pytest.mark.parametrize("batch_size", [1, 4])
def test_columns_of_the_jacobian_against_rows(network, ratio, batch_size):
    made = task(network, batch_size)
    top = made.readout.top
    rows = torch.eye(CLASSES)[:, None].expand(CLASSES, batch_size, CLASSES)

    def columns():
        with torch.no_grad():
            second_order.directional_derivatives(top.top, top.point.detach())

    cost = ratio(columns, lambda: second_order.product_maps(top.logits, top.point, rows), 3)
    print(f"a column costs {cost * CLASSES / 196:.2f} times as much as a row")
