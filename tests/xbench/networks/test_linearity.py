"""Piecewise linearity is proven for what is so and refused for what is not."""

import pytest
import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional

from small_networks import Calls
from xbench.networks.linearity import first_nonlinearity
from xbench.networks.loading import cut_module
from xbench.testing.tiny import tiny_network

LINEAR = [
    lambda x, c: x + x,
    lambda x, c: 1 - x,
    lambda x, c: c * x / 2,
    lambda x, c: x.mean((2, 3)) @ torch.eye(4),
    lambda x, c: functional.relu(x).flatten(1),
    lambda x, c: functional.leaky_relu(x, 0.1) + functional.hardtanh(x),
    lambda x, c: functional.relu6(x).view(x.shape[0], -1),
    functional.prelu,
    lambda x, c: functional.max_pool2d(x, 2),
    lambda x, c: functional.adaptive_max_pool2d(x, 2),
    lambda x, c: functional.avg_pool2d(x, 2),
    lambda x, c: functional.adaptive_avg_pool2d(x, (1, 1)),
    lambda x, c: functional.batch_norm(x, c, c + 1),
    lambda x, c: functional.dropout(x, 0.5, training=False),
    lambda x, c: functional.interpolate(x, scale_factor=2, mode="bilinear"),
    lambda x, c: functional.interpolate(x, x.shape[-1] * 2, mode="nearest"),
    lambda x, c: functional.conv2d(x, torch.ones(2, 4, 1, 1)),
    lambda x, c: functional.linear(input=x, weight=torch.ones(3, 4)),
    lambda x, c: torch.cat([x, x.abs()], 1).permute(0, 2, 3, 1).reshape(x.size(0), -1),
    lambda x, c: torch.maximum(x, -x).sum((2, 3)),
    lambda x, c: functional.pad(x, (1, 1)).chunk(2, 1)[0],
    lambda x, c: x / x.shape[1] + c.view(-1, 1, 1).exp(),
]
NOT_LINEAR = {
    "mul of several activations": lambda x, c: x * functional.relu(x),
    "truediv of several activations": lambda x, c: x / x.sum(),
    "matmul of several activations": lambda x, c: x @ x,
    "conv2d of several activations": lambda x, c: functional.conv2d(x, x),
    "truediv": lambda x, c: 1 / x,
    "div": lambda x, c: torch.div(c.sum(), x),
    "softmax": lambda x, c: x.softmax(1),
    "gelu": lambda x, c: functional.gelu(x),
    "sigmoid": lambda x, c: torch.sigmoid(x),
    "hardswish": lambda x, c: functional.hardswish(x),
    "layer_norm": lambda x, c: functional.layer_norm(x, (4,)),
    "dropout": lambda x, c: functional.dropout(x),
    "batch_norm": lambda x, c: functional.batch_norm(x, None, None, training=True),
    "square": lambda x, c: x.square(),
    "pow": lambda x, c: x**2,
    "var": lambda x, c: x.var(1),
    "exp": lambda x, c: functional.relu(x).exp(),
    "argmax": lambda x, c: x.argmax(1),
}


@pytest.mark.parametrize("function", LINEAR)
def test_piecewise_linear_operations_are_proven_so(function: object) -> None:
    assert first_nonlinearity(Calls(function).eval()) is None


@pytest.mark.parametrize("name", NOT_LINEAR)
def test_other_operations_are_named(name: str) -> None:
    assert first_nonlinearity(Calls(NOT_LINEAR[name]).eval()) == name


@pytest.mark.parametrize("function", LINEAR)
def test_second_differences_of_what_is_proven_vanish(function: object) -> None:
    """Along a direction short enough to cross no kink."""
    module = Calls(function).double().eval()
    generator = torch.Generator().manual_seed(0)
    point, ray = (torch.randn(2, 4, 4, 4, generator=generator).double() for _ in range(2))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.set_default_dtype(torch.float64)
        try:
            low, middle, high = (module(point + t * ray) for t in (-1e-6, 0.0, 1e-6))
        finally:
            torch.set_default_dtype(torch.float32)
    assert ((high - middle) - (middle - low)).abs().max() < 1e-13
    assert (high - low).abs().max() > 1e-9


def test_a_softmax_fails_the_second_differences_that_linear_operations_pass() -> None:
    point = torch.linspace(-1, 1, 8, dtype=torch.float64)[None]
    low, middle, high = ((point * (1 + t)).softmax(1) for t in (-1e-3, 0.0, 1e-3))
    assert ((high - middle) - (middle - low)).abs().max() > 1e-9


TORCHVISION = {
    "vgg16_bn": "",
    "resnet50": "",
    "alexnet": "",
    "squeezenet1_1": "",
    "densenet121": "",
    "efficientnet_b0": "",
    "mobilenet_v3_small": "Hardswish (classifier.1)",
    "convnext_tiny": "layer_norm (avgpool)",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TORCHVISION)
def test_tops_of_torchvision_are_told_apart(name: str) -> None:
    module = torchvision.models.get_model(name, weights=None, num_classes=10)
    network = cut_module(module.eval(), classes=10, size=64)
    assert (first_nonlinearity(network.top) or "") == TORCHVISION[name]


TIMM = {
    "vgg11": ("features.20", 64, True),
    "resnet18": ("", 64, True),
    "efficientnet_b0": ("", 64, True),
    "densenet121": ("", 64, True),
    "convnext_atto": ("", 64, False),
    "mobilenetv3_small_050": ("", 64, False),
    "efficientvit_b0": ("", 64, False),
    "maxvit_rmlp_pico_rw_256": ("stages.2", 256, False),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMM)
def test_tops_of_timm_are_told_apart(name: str) -> None:
    layer, size, linear = TIMM[name]
    module = timm.create_model(name, num_classes=10).eval()
    network = cut_module(module, classes=10, size=size, layer=layer)
    assert (first_nonlinearity(network.top) is None) == linear


def test_an_early_cut_of_a_network_with_gates_is_not_piecewise_linear() -> None:
    module = torchvision.models.efficientnet_b0(weights=None, num_classes=10).eval()
    network = cut_module(module, classes=10, size=64, layer="features.6")
    assert first_nonlinearity(network.top) == "SiLU (features.7.0.block.0.2)"


def test_networks_that_wrap_others_are_looked_into() -> None:
    network = cut_module(
        nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 5)).eval(),
        classes=5,
        size=8,
    )
    assert first_nonlinearity(nn.Sequential(network.top, nn.ReLU(), nn.Linear(5, 1))) is None
    assert first_nonlinearity(nn.Sequential(network.top, nn.Tanh())) == "Tanh (1)"
    head = nn.Sequential(nn.Linear(5, 4), nn.GELU(), nn.Linear(4, 1))
    assert first_nonlinearity(nn.Sequential(network.top, head)) == "GELU (1.1)"


def test_proving_runs_nothing_and_counts_no_pass() -> None:
    network = tiny_network()
    before = network.passes.snapshot()
    network.top.register_forward_hook(lambda *_: pytest.fail("the top was run"))
    assert first_nonlinearity(nn.Sequential(network.top)) is None
    assert network.passes.snapshot() == before


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(4), nn.Dropout(), nn.RReLU()])
def test_layers_in_training_mode_are_not_linear(layer: nn.Module) -> None:
    name = type(layer).__name__
    assert first_nonlinearity(layer.train()) == f"{name} in training mode"
    assert first_nonlinearity(layer.eval()) is None


def test_normalisation_without_running_statistics_is_not_linear() -> None:
    layer = nn.BatchNorm2d(4, track_running_stats=False).eval()
    assert first_nonlinearity(layer) == "BatchNorm2d without running statistics"


class Twisted(nn.ReLU):
    """A subclass of a layer on the list that computes something else."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - torch's name
        return input * input


def test_a_subclass_is_judged_by_what_it_computes() -> None:
    assert first_nonlinearity(Twisted()) == "mul of several activations"


class Branching(nn.Module):
    """Two ways, by the shape of the input; the second is not piecewise linear."""

    def __init__(self, other: nn.Module) -> None:
        super().__init__()
        self.other = other

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if values.shape[-1] < 3:
            values = functional.interpolate(values, size=3)
        if values.shape[-1] > 7:
            return self.other(values)
        return values.flatten(1)


def test_both_ways_of_a_branch_are_proven() -> None:
    assert first_nonlinearity(Branching(nn.ReLU())) is None
    assert first_nonlinearity(Branching(nn.Sigmoid())) == "Sigmoid (other)"


class Opaque(nn.Module):
    """Asks for a number on the way."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values * len(values)


def test_what_cannot_be_looked_into_is_not_proven() -> None:
    found = first_nonlinearity(nn.Sequential(nn.ReLU(), Opaque()))
    assert found == "Opaque, which cannot be looked into (1)"


def relu(values: torch.Tensor) -> torch.Tensor:
    """Not what its name says."""
    return values.square()


torch.fx.wrap("relu")


def test_a_function_is_trusted_for_what_it_is_not_for_its_name() -> None:
    assert first_nonlinearity(Calls(lambda x, c: relu(x))) == f"{__name__}.relu"
