"""Affine first parts are proven, as long as they can be, and change nothing but the cost."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from small_networks import Calls
from xbench import generator
from xbench.networks import blank_module, cut_classifier, cut_module, first_kink
from xbench.testing import tiny_network
from xbench_ces.scores.affine import (
    CACHED_BYTES,
    HEAVY,
    WEIGHED_BYTES,
    MovedTop,
    Parts,
    affine_parts,
    moved_top,
)
from xbench_zoo.torchvision_models import Torchvision

ROOM = 2**30


AFFINE = [
    lambda x, c: x + x,
    lambda x, c: 1 - x + c.view(-1, 1, 1),
    lambda x, c: c.view(-1, 1, 1) * x,
    lambda x, c: x.mean((2, 3)) @ torch.eye(4),
    lambda x, c: functional.avg_pool2d(x, 2).flatten(1),
    lambda x, c: functional.adaptive_avg_pool2d(x, (1, 1)),
    lambda x, c: functional.batch_norm(x, c, c + 1),
    lambda x, c: functional.dropout(x, 0.5, training=False),
    lambda x, c: functional.conv2d(x, torch.ones(2, 4, 1, 1)),
    lambda x, c: functional.interpolate(x, scale_factor=2, mode="bilinear"),
    lambda x, c: torch.cat([x, 2 * x], 1).permute(0, 2, 3, 1).reshape(x.size(0), -1),
]
KINKED = {
    "relu": lambda x, c: functional.relu(x),
    "abs": lambda x, c: x.abs(),
    "clamp": lambda x, c: x.clamp(0, 1),
    "maximum": lambda x, c: torch.maximum(x, -x),
    "amax": lambda x, c: x.amax((2, 3)),
    "leaky_relu": lambda x, c: functional.leaky_relu(x + 1, 0.1),
    "dropout": lambda x, c: functional.dropout(x, 0.5),
    "softmax": lambda x, c: x.softmax(1),
    "mul of several activations": lambda x, c: x * x,
}
LAYERS = [nn.Conv2d(4, 2, 1), nn.Linear(6, 2), nn.BatchNorm2d(4), nn.AvgPool2d(2), nn.Flatten()]
LAYERS += [nn.AdaptiveAvgPool2d(1), nn.Dropout(), nn.Identity(), nn.Upsample(scale_factor=2)]
KINKED_LAYERS = [nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(), nn.PReLU(), nn.Hardtanh(), nn.GELU()]
KINKED_LAYERS += [nn.Softmax(1), nn.LayerNorm(6), nn.Sigmoid()]


@pytest.mark.parametrize("function", AFFINE)
def test_affine_functions_are_proven_and_are_affine(function):
    module = Calls(function).eval()
    assert first_kink(module) is None
    _assert_affine(module, torch.rand(2, 2, 4, 6, 6, generator=generator("points")))


def _assert_affine(module, pair):
    zero = module(torch.zeros_like(pair[0]))
    apart = module(pair[0]) - zero + module(pair[1]) - zero
    torch.testing.assert_close(module(pair[0] + pair[1]) - zero, apart, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", KINKED)
def test_functions_with_a_kink_are_named(name):
    assert first_kink(Calls(KINKED[name]).eval()) == name


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_affine_layers_are_proven(layer):
    assert first_kink(layer.eval()) is None


@pytest.mark.parametrize("layer", KINKED_LAYERS, ids=lambda layer: type(layer).__name__)
def test_layers_with_a_kink_are_named(layer):
    assert first_kink(nn.Sequential(nn.Conv2d(4, 4, 1), layer.eval())) == (
        f"{type(layer).__name__} (1)"
    )


@pytest.mark.parametrize("layer", [nn.MaxPool2d(2), nn.AdaptiveMaxPool2d(1)])
def test_maximum_pools_have_kinks(layer):
    assert first_kink(layer) is not None


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(4), nn.Dropout()])
def test_layers_in_training_mode_are_not_affine(layer):
    assert first_kink(layer.train()) == f"{type(layer).__name__} in training mode"


class Branching(nn.Module):
    """Adds or subtracts, as the values say: on either side affine, as a whole not."""

    def forward(self, values):
        return -values if values.sum() else values


def test_a_branch_is_a_kink():
    assert first_kink(Branching()) == "a branch in Branching"


def tail(*layers, classes=5):
    """A network cut after its first convolution, so that `layers` are its top."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for layer in [m for top in layers for m in top.modules() if hasattr(m, "reset_parameters")]:
            layer.reset_parameters()
        module = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2, padding=1), *layers)
    return cut_module(module.eval(), classes=classes, size=12, layer="0")


HEAD = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5))
TAILS = {
    "all of it": (tail(*HEAD), 0),
    "up to the first activation": (
        tail(nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6), nn.ReLU(), *HEAD),
        1,
    ),
    "nothing": (tail(nn.MaxPool2d(2), *HEAD), None),
    "two activations": (tail(nn.Dropout(), nn.Conv2d(6, 6, 1), nn.SiLU(), nn.ReLU(), *HEAD), 2),
}


def points(network, count=3):
    images = torch.rand(count, 3, 12, 12, generator=generator("images"))
    return network.activations(images)


@pytest.mark.parametrize("name", TAILS)
def test_the_parts_make_exactly_what_the_top_makes(name):
    network, kinks = TAILS[name]
    activations = points(network)
    expected = network.top(activations)
    first, rest = affine_parts(network.top, activations, ROOM)
    intermediate = first(activations)
    assert torch.equal(rest(intermediate.clone()), expected)
    assert isinstance(first, nn.Identity) == (kinks is None)
    if kinks is not None:
        assert first_kink(first) is None
        assert sum(isinstance(m, (nn.ReLU, nn.SiLU)) for m in rest.modules()) >= kinks
        _assert_affine(first, torch.stack([activations, 2 * activations.flip(0)]))
    assert torch.equal(network.top(points(network)), expected), "the top itself is as it was"


@pytest.mark.parametrize("name", TAILS)
def test_displaced_activations_are_those_of_the_top(name):
    network, _ = TAILS[name]
    activations = points(network)
    displacements = torch.randn(70, *activations.shape[1:], generator=generator("concepts"))
    moved = moved_top(network.top, activations, displacements)
    for image in moved.first(activations):
        rows = moved.rest(image + moved.displacements)
        assert rows.shape == (70, 5)
    logits = moved.rest(moved.first(activations)[0] + moved.displacements)
    expected = network.top(activations[0] + displacements)
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "layer", "kink"),
    [
        ("squeezenet1_1", "", "ReLU (classifier.2)"),
        ("resnet18", "avgpool", None),
        ("resnet18", "", None),
        ("resnet18", "layer3", "ReLU (layer4.0.relu)"),
    ],
)
def test_networks_of_the_library_have_the_parts_that_they_should(name, layer, kink):
    classifier = Torchvision(name, layer=layer)
    network = cut_classifier(classifier, blank_module(classifier, 10), 10)
    activations = network.activations(torch.rand(1, 3, 224, 224, generator=generator("images")))
    expected = network.top(activations)
    first, rest = affine_parts(network.top, activations, ROOM)
    assert torch.equal(rest(first(activations)), expected)
    assert first_kink(network.top) == kink
    assert torch.equal(network.top(activations), expected)
    whole = isinstance(first, nn.Identity)
    assert whole == (layer == "layer3"), "a block whose input is used twice has no first part"
    if kink is None:
        assert not list(rest.parameters())


class Twice(nn.Module):
    """One activation layer at two places; the second time, its input is used again."""

    def __init__(self):
        super().__init__()
        self.act = nn.ReLU()
        self.conv = nn.Conv2d(6, 6, 1)

    def forward(self, values):
        lower = self.conv(self.act(self.conv(values)))
        return self.act(lower) + lower


def test_only_the_first_activation_works_in_place():
    network = tail(Twice(), *HEAD)
    activations = points(network)
    first, rest = affine_parts(network.top, activations, ROOM)
    assert torch.equal(rest(first(activations)), network.top(activations))
    flags = [m.inplace for m in rest.modules() if isinstance(m, nn.ReLU)]
    assert sorted(flags) == [False, True]
    assert not any(m.inplace for m in network.top.modules() if isinstance(m, nn.ReLU))


class Functions(nn.Module):
    """The same operations as functions."""

    def forward(self, values):
        return functional.relu(2 * values - 1)


def test_an_activation_that_is_a_function_works_in_place_too():
    network = tail(Functions(), *HEAD)
    activations = points(network)
    first, rest = affine_parts(network.top, activations, ROOM)
    intermediate = first(activations)
    assert torch.equal(rest(intermediate), network.top(activations))
    assert intermediate.min() == 0, "what went in was overwritten"


def test_the_first_part_is_as_long_as_there_is_room_for():
    network = tail(nn.Conv2d(6, 6, 1), nn.Conv2d(6, 60, 1), nn.ReLU(), nn.Conv2d(60, 6, 1), *HEAD)
    activations = points(network)
    small = activations[:1].nbytes
    long, short, none = (
        affine_parts(network.top, activations, most) for most in (10 * small, small, small - 1)
    )
    assert long.first(activations).shape[1] == 60
    assert short.first(activations).shape[1] == 6
    assert isinstance(none.first, nn.Identity)
    for first, rest in (long, short, none):
        assert torch.equal(rest(first(activations)), network.top(activations))


class MixesImages(nn.Module):
    """Affine, but its rows are no images."""

    def forward(self, values):
        return values.transpose(0, 1).transpose(0, 1)


def test_a_first_part_keeps_one_row_for_each_image():
    network = tail(MixesImages(), nn.ReLU(), *HEAD)
    activations = points(network)
    first, rest = affine_parts(network.top, activations, ROOM)
    assert first(activations).shape == activations.shape
    assert torch.equal(rest(first(activations)), network.top(activations))


def test_a_top_that_is_no_graph_stays_whole():
    network = tiny_network()
    first, rest = affine_parts(network.top, torch.rand(2, 6, 8, 8), ROOM)
    assert isinstance(first, nn.Identity)
    assert rest is network.top


def test_nothing_is_counted_and_no_weights_are_copied():
    network, _ = TAILS["up to the first activation"]
    before = network.passes.snapshot()
    moved = moved_top(network.top, points(network), torch.rand(3, 6, 6, 6))
    moved.rest(moved.first(points(network)))
    after = network.passes.snapshot()
    assert after["top_forward"] == before["top_forward"]
    parameters = {id(parameter) for parameter in network.top.parameters()}
    assert {id(parameter) for parameter in moved.parameters()} <= parameters


def rows(rest, points):
    return MovedTop(Parts(nn.Identity(), rest), points).rows


def test_chunks_fit_the_cache_or_share_the_weights():
    point = torch.zeros(100, 2**18)  # 1 MiB each
    light, weighed = nn.Flatten(), nn.Linear(2**18, 1, bias=False)
    heavy = nn.Linear(2**18, 256, bias=False, device="meta")
    assert rows(light, point) == CACHED_BYTES // 2**20
    assert rows(light, point[:, :1]) == 64
    assert rows(light, torch.zeros(1, 2**24)) == 1
    assert rows(weighed, point) == 16
    assert heavy.weight.nbytes == HEAVY
    assert rows(heavy, point) == WEIGHED_BYTES // 2**20
    assert rows(heavy, point[:, :1]) == 64
    assert rows(light, point[:, :0]) == 64
