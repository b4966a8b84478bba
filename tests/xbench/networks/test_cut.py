"""Cutting is exact, touches nothing else, and says where it can be done."""

import re

import networkx as nx
import pytest
import torch
from torch import fx, nn
from torch.nn import functional

from xbench.errors import CutError, NumericalError
from xbench.networks.cutting import cut, cut_points
from xbench.networks.graphs import dominators
from xbench.networks.heads import head_layer
from xbench.networks.stages import default_layer
from xbench.networks.tracing import output_of, trace


def example(size=16, count=2):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(0))


class Branched(nn.Module):
    """A stem, a block with a short cut, and a head."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.inner = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(inplace=True))
        self.act = nn.ReLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.stem(x)
        x = self.act(x + self.inner(x))
        return self.fc(self.pool(x).flatten(1))


class Overwriting(nn.Module):
    """Every way of overwriting an input that networks in the wild use."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.second = nn.Conv2d(4, 4, 1)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        x = self.first(x)
        self.relu(x)  # the result is dropped: what follows reads the overwritten x
        y = self.second(x)
        y += x
        functional.leaky_relu(y, 0.1, True)
        y = functional.elu(y, inplace=True)
        y.mul_(2.0)
        torch.sigmoid_(y)
        y -= 0.25
        return self.fc(y.mean((2, 3)))


class Shared(nn.Module):
    """One layer on both sides of the cut."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.twice = nn.Conv2d(4, 4, 3, padding=1)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(self.twice(self.twice(self.stem(x)).relu()).mean((2, 3)))


class Tokens(nn.Module):
    """Patches become tokens."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.mix = nn.Linear(8, 8)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        return self.fc(self.mix(self.patches(x).flatten(2).transpose(1, 2)).mean(1))


class ChannelsLast(nn.Module):
    """Features with their channels last, as some networks keep them."""

    num_features = 8

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, 4)
        self.norm = nn.LayerNorm(8)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        return self.fc(self.norm(self.patches(x).permute(0, 2, 3, 1)).mean((1, 2)))


class Optional(nn.Module):
    """Further arguments with defaults, which branch the forward pass."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(4, 5)

    def forward(self, x, mask=None, causal=False):
        x = self.conv(x)
        if mask is not None:
            x = x * mask
        if causal:
            x = x.cumsum(-1)
        return self.fc(x.mean((2, 3)))


class Numbered(nn.Module):
    """Layers whose own names end in numbers, not used in their order, and one used twice."""

    def __init__(self):
        super().__init__()
        self.conv_2 = nn.Conv2d(3, 4, 1)
        self.conv_1 = nn.Conv2d(4, 5, 1)
        self.conv = nn.Conv2d(5, 6, 1)
        self.relu = nn.ReLU()
        self.relu_1 = nn.ReLU()
        self.fc_8 = nn.Linear(6, 5)

    def forward(self, x):
        x = self.relu(self.conv_2(x))
        x = torch.relu(self.relu(self.conv_1(x)))
        return self.fc_8(self.relu_1(self.conv(x)).mean((2, 3)))


NETWORKS = [Branched, Overwriting, Shared, Tokens, ChannelsLast, Optional, Numbered]


@pytest.mark.parametrize("network", NETWORKS)
def test_every_listed_cut_is_exact(network):
    module, x = network().eval(), example()
    expected = output_of(module, x)
    points = cut_points(module, x)
    assert points
    for point in points:
        halves = cut(module, point.name, x)
        activations = output_of(halves.bottom, x)
        assert tuple(activations.shape[1:]) == point.shape == halves.shape
        assert torch.equal(output_of(halves.top, activations), expected)


@pytest.mark.parametrize("network", NETWORKS)
def test_no_half_changes_what_it_is_given(network):
    module, x = network().eval(), example()
    for point in cut_points(module, x):
        halves = cut(module, point.name, x)
        given = x.clone()
        with torch.no_grad():
            activations = halves.bottom(given)
            kept = activations.clone()
            halves.top(activations)
        assert torch.equal(given, x)
        assert torch.equal(activations, kept)


def test_a_cut_holds_for_other_images_and_batch_sizes():
    module = Branched().eval()
    halves = cut(module, "act", example())
    for count in (1, 3):
        x = example(20, count)
        assert torch.equal(output_of(halves.top, output_of(halves.bottom, x)), output_of(module, x))


def test_layers_inside_a_branch_are_not_listed():
    names = [point.name for point in cut_points(Branched(), example())]
    assert names == ["stem", "add", "act", "pool", "flatten", "fc"]


def test_points_say_shape_and_operator():
    point = next(p for p in cut_points(Branched(), example()) if p.name == "act")
    assert point == ("act", (8, 16, 16), "ReLU")


def test_a_layer_whose_name_ends_in_a_number_keeps_it():
    points = [(point.name, point.shape[0]) for point in cut_points(Numbered(), example())]
    assert points == [
        ("conv_2", 4),
        ("relu", 4),
        ("conv_1", 5),
        ("relu_2", 5),  # the second call of `relu`: `relu_1` is another layer
        ("relu_3", 5),  # a function
        ("conv", 6),
        ("relu_1", 6),
        ("mean", 6),
        ("fc_8", 5),
    ]
    assert cut(Numbered(), "conv_1", example()).shape == (5, 16, 16)


def test_the_name_of_a_block_means_its_output():
    block = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    module = nn.Sequential(block, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))
    assert cut(module, "0", example()).layer == "0.1"


def test_an_unknown_layer_suggests_the_nearest_and_lists_the_cuts():
    text = re.escape(
        "there is no layer 'stam'; did you mean 'stem'. "
        "It can be cut at: stem, add, act, pool, flatten, fc."
    )
    with pytest.raises(CutError, match=text):
        cut(Branched(), "stam", example())


@pytest.mark.parametrize("layer", ["inner.0", "inner.1", "inner"])
def test_a_layer_inside_a_branch_says_so_and_lists_the_cuts(layer):
    text = f"layer {layer!r} exists, but the network cannot be cut there: it lies inside a branch"
    with pytest.raises(CutError, match=text) as error:
        cut(Branched(), layer, example())
    assert "It can be cut at: stem, add, act, pool, flatten, fc." in str(error.value)


def test_the_default_is_the_last_stage_with_a_spatial_extent():
    traced = trace(Branched(), example())
    assert default_layer(traced, example()) == "act"


def test_a_layer_of_the_body_with_as_many_outputs_as_classes_is_no_head():
    module = Branched()
    module.fc = nn.Linear(8, 8)
    assert default_layer(trace(module, example()), example()) == "act"


def test_a_convolutional_head_is_no_stage():
    layers = nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Dropout(), nn.Conv2d(4, 5, 1), nn.ReLU()
    module = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert default_layer(trace(module, example()), example()) == "1"
    assert head_layer(module, 5) == "3"


@pytest.mark.parametrize(("network", "layer"), [(Tokens, "mix"), (ChannelsLast, "norm")])
def test_networks_without_maps_have_a_default_too(network, layer):
    assert default_layer(trace(network(), example()), example()) == layer


def test_a_network_without_a_grid_has_no_default():
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 5))
    with pytest.raises(CutError, match="no layer has values on a grid to be cut at"):
        default_layer(trace(module, example()), example())


@pytest.mark.parametrize("network", [Shared, Overwriting])
def test_halves_share_nothing_with_the_network_or_each_other(network):
    module, x = network().eval(), example()
    expected = output_of(module, x)
    point = cut_points(module, x)[1]
    halves = cut(module, point.name, x)
    activations = output_of(halves.bottom, x)
    halves.top.double()
    assert torch.equal(output_of(module, x), expected)
    assert torch.equal(output_of(halves.bottom, x), activations)
    doubled = output_of(halves.top, activations.double())
    assert doubled.dtype == torch.float64
    assert torch.allclose(doubled.float(), expected, atol=1e-5)


def test_the_network_itself_keeps_its_mode_and_its_layers():
    module = Overwriting().train()
    cut(module, "first", example())
    assert module.training
    assert module.relu.inplace


def test_a_forward_pass_that_branches_on_values_cannot_be_traced():
    class Branching(nn.Module):
        def forward(self, x):
            return x.mean((2, 3)) if x.sum() > 0 else x.amax((2, 3))

    with pytest.raises(CutError, match=r"Branching cannot be traced, and so not cut: .* must not"):
        trace(Branching(), example())


def test_a_network_that_draws_at_random_is_refused():
    class Noisy(nn.Module):
        def forward(self, x):
            return (x + torch.rand(16)).mean((2, 3))

    with pytest.raises(CutError, match="does something random, keeps state"):
        trace(Noisy(), example())


def test_a_network_that_returns_several_things_is_refused():
    class Several(nn.Module):
        def forward(self, x):
            return x.mean((2, 3)), x

    with pytest.raises(CutError, match="Several returns tuple; a classifier returns one tensor"):
        trace(Several(), example())


def test_logits_that_are_no_numbers_are_an_error():
    module = Branched()
    nn.init.constant_(module.fc.bias, float("nan"))
    with pytest.raises(NumericalError, match="Branched gives logits that are NaN or infinite"):
        trace(module, example())


def random_graph(seed, nodes=14):
    """A network of sums whose operations are joined at random."""

    class Joined(nn.Module):
        def forward(self, x):
            draws = torch.Generator().manual_seed(seed)
            values = [x * 1.5]
            for _ in range(nodes):
                far = int(torch.randint(1, 4, (1,), generator=draws))
                some = values[-far:]
                values.append(sum(some[1:], some[0]) * 0.5)
            return values[-1] + values[-2]

    return fx.symbolic_trace(Joined())


@pytest.mark.parametrize("seed", range(12))
def test_cuts_are_the_dominators_of_the_output_as_networkx_finds_them(seed):
    traced = random_graph(seed)
    graph = nx.DiGraph(
        (source, node) for node in traced.graph.nodes for source in node.all_input_nodes
    )
    (start,) = [node for node in traced.graph.nodes if node.op == "placeholder"]
    (end,) = [node for node in traced.graph.nodes if node.op == "output"]
    above = nx.immediate_dominators(graph, start)
    expected, node = [], above[end]
    while node is not start:
        expected.append(node)
        node = above[node]
    assert dominators(traced.graph) == expected[::-1]
