"""Values of layers as maps and back, and how it is known how they lie."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import nn

from tests.shared.token_networks import SIDE, ChannelsLastNetwork, TokenNetwork
from xbench import Classifier, CutError, Normalisation
from xbench.networks.arrangements import (
    Arrangement,
    arrangement_of,
    declared_arrangement,
    from_maps,
    to_maps,
)
from xbench.networks.loading import (
    cut_module,
    original_names,
    whole_classifier,
    whole_module,
    with_state,
)
from xbench.networks.locations import of_grid
from xbench.networks.stages import default_layer, proven_arrangements
from xbench.networks.tracing import trace

CLASSES = 5


def images(count=2):
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def made(network, **options):
    torch.manual_seed(0)
    return network(CLASSES, **options).eval()


def proven(module, layer):
    return proven_arrangements(trace(module, images()), images())[layer]


ARRANGEMENTS = [
    (Arrangement("maps", (2, 5)), (7, 2, 5), 0),
    (Arrangement("channels-last", (2, 5)), (2, 5, 7), 0),
    (Arrangement("tokens", (2, 5)), (10, 7), 0),
    (Arrangement("tokens", (2, 5), 1), (11, 7), 1),
    (Arrangement("tokens", (2, 5), 5), (15, 7), 1),
    (Arrangement("tokens", (2, 5), 6), (16, 7), 2),
]


@pytest.mark.parametrize(("arrangement", "shape", "rows"), ARRANGEMENTS, ids=str)
def test_values_come_back_bit_for_bit(arrangement, shape, rows):
    values = torch.randn(3, *shape)
    maps = to_maps(values, arrangement)
    assert maps.shape == (3, 7, 2 + rows, 5)
    assert arrangement.extra_rows == rows
    assert torch.equal(from_maps(maps, arrangement), values)
    assert torch.equal(from_maps(maps.contiguous(), arrangement), values)


@pytest.mark.parametrize(("arrangement", "shape", "rows"), ARRANGEMENTS, ids=str)
def test_each_value_lies_at_its_location_and_the_prefix_below_the_grid(arrangement, shape, rows):
    grid = of_grid(2, 5)
    places = {
        "maps": lambda: grid.expand(7, 2, 5),
        "channels-last": lambda: grid[..., None].expand(2, 5, 7),
        "tokens": lambda: torch.cat([torch.zeros(arrangement.prefix), grid.flatten()]),
    }[arrangement.kind]()
    places = places[:, None].expand(-1, 7) if arrangement.kind == "tokens" else places
    places = places[None].long()
    assert places.shape[1:] == shape
    assert arrangement_of(places) == arrangement
    maps = to_maps(places, arrangement)
    assert torch.equal(maps[0, :, :2], grid.expand(7, 2, 5))
    assert not maps[0, :, 2:].any()


@pytest.mark.parametrize(
    "places",
    [
        of_grid(3, 4).flatten().flip(0)[None, :, None],
        of_grid(3, 4).T.expand(1, 2, 4, 3),
        of_grid(3, 4).flatten()[None, :, None].repeat(1, 2, 1),
        torch.zeros(1, 12, 1, dtype=torch.int64),
        torch.cat([of_grid(3, 4).flatten(), torch.zeros(1)]).long()[None, :, None],
        of_grid(3, 4).expand(2, 1, 3, 4),
    ],
    ids=["backwards", "transposed", "twice", "nowhere", "prefix at the end", "two pictures"],
)
def test_another_order_is_no_arrangement(places):
    assert arrangement_of(places) is None


def test_a_declaration_is_read():
    declared = {
        "maps": ((7, 2, 5), Arrangement("maps", (2, 5))),
        "channels-last": ((2, 5, 7), Arrangement("channels-last", (2, 5))),
        "tokens 2x5": ((10, 7), Arrangement("tokens", (2, 5))),
        "tokens+1 5x2": ((11, 7), Arrangement("tokens", (5, 2), 1)),
    }
    for text, (shape, arrangement) in declared.items():
        assert declared_arrangement(text, shape) == arrangement
        assert declared_arrangement(str(arrangement), shape) == arrangement


def test_a_grid_that_is_not_declared_is_that_of_another_layer_and_never_a_square():
    assert declared_arrangement("tokens+1", (17, 7), [(2, 8), (8, 8)]).grid == (2, 8)
    for grids in ([], [(8, 8)], [(2, 8), (4, 4)]):
        with pytest.raises(
            CutError, match=r"open what grid the 16 tokens form; .*'tokens\+1 14x14'"
        ):
            declared_arrangement("tokens+1", (17, 7), grids)


@pytest.mark.parametrize(
    ("declared", "shape"),
    [
        ("tokens 3x5", (16, 7)),
        ("tokens 4x4", (7, 4, 4)),
        ("maps", (16, 7)),
        ("maps 4x5", (7, 4, 4)),
    ],
)
def test_a_declaration_that_does_not_fit_says_so(declared, shape):
    with pytest.raises(
        CutError, match=f"the layer's values, .* for an image, are not '{declared}'"
    ):
        declared_arrangement(declared, shape)


@pytest.mark.parametrize("declared", ["token", "maps+1", "tokens+ 3x3", "tokens 3×3"])
def test_another_spelling_says_how_it_is_written(declared):
    with pytest.raises(CutError, match="write 'maps', 'channels-last' or 'tokens', as in"):
        declared_arrangement(declared, (7, 4, 4))


LAYERS = [
    (TokenNetwork, {}, "patches", "maps 4x8"),
    (TokenNetwork, {}, "add", "tokens+2 4x8"),
    (TokenNetwork, {}, "first.add", "tokens+2 4x8"),
    (TokenNetwork, {}, "norm", "tokens+2 4x8"),
    (TokenNetwork, {"library": True}, "second.add_1", "tokens+2 4x8"),
    (TokenNetwork, {"prefix": 0}, "norm", "tokens 4x8"),
    (ChannelsLastNetwork, {}, "permute", "channels-last 4x8"),
    (ChannelsLastNetwork, {}, "gelu_1", "channels-last 4x8"),
]


@pytest.mark.parametrize(("network", "options", "layer", "arrangement"), LAYERS)
def test_the_arrangement_of_a_layer_is_proven(network, options, layer, arrangement):
    assert str(proven(made(network, **options), layer)) == arrangement


@pytest.mark.parametrize(("network", "options", "layer", "arrangement"), LAYERS)
def test_a_cut_into_maps_is_exact_and_has_the_grid(network, options, layer, arrangement):
    module = made(network, **options)
    cut = cut_module(module, classes=CLASSES, size=SIDE, layer=layer)
    rows = 1 if "+" in arrangement else 0
    assert cut.grid == (4, 8)
    assert cut.extra_rows == rows
    activations = cut.activations(images(3))
    assert activations.shape == (3, 6, 4 + rows, 8)
    with torch.no_grad():
        assert torch.equal(cut.top(activations), module(images(3)))
        torch.testing.assert_close(cut.top(activations.contiguous()), module(images(3)))


@pytest.mark.parametrize(
    ("network", "options", "layer"),
    [
        (TokenNetwork, {}, "add"),
        (TokenNetwork, {"prefix": 0}, "add"),
        (ChannelsLastNetwork, {}, "permute"),
        (ChannelsLastNetwork, {}, "gelu_1"),
    ],
)
def test_a_patch_of_the_image_moves_its_own_location_alone(network, options, layer):
    cut = cut_module(made(network, **options), classes=CLASSES, size=SIDE, layer=layer)
    for row in range(4):
        for column in range(8):
            moved = images(1)
            moved[..., 4 * row : 4 * row + 4, 2 * column : 2 * column + 2] += 1
            changed = (cut.activations(moved) != cut.activations(images(1))).any(1)[0]
            assert changed.nonzero().tolist() == [[row, column]]


DEFAULTS = [
    (TokenNetwork, {}, "first.add_1"),  # in the second block only the first token counts
    (TokenNetwork, {"library": True}, "first.add_1"),
    (TokenNetwork, {"prefix": 0}, "norm"),
    (ChannelsLastNetwork, {}, "gelu_1"),
]


@pytest.mark.parametrize(("network", "options", "layer"), DEFAULTS)
def test_the_default_is_the_last_layer_at_which_locations_count(network, options, layer):
    module = made(network, **options)
    assert default_layer(trace(module, images()), images()) == layer
    nn.init.zeros_(module.head.weight)
    assert default_layer(trace(module, images()), images()) == layer


def test_at_the_default_layer_the_gradient_reaches_the_grid_and_after_it_does_not():
    reached = []
    for layer in ("first.add_1", "second.add_1"):
        cut = cut_module(made(TokenNetwork), classes=CLASSES, size=SIDE, layer=layer)
        point = cut.activations(images()).requires_grad_()
        cut.top(point).sum().backward()
        reached.append(bool(point.grad[:, :, :4].any()))
        assert point.grad[:, :, 4:, :2].any()
    assert reached == [True, False]


class Sorted(nn.Module):
    """Tokens in an order that hangs on their values."""

    def __init__(self, classes):
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 4, 4)
        self.norm, self.head = nn.LayerNorm(6), nn.Linear(6, classes)

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(torch.cumsum(self.norm(torch.sort(tokens, 1)[0]), 1).mean(1))


@pytest.mark.parametrize("layer", ["", "norm"])
def test_what_is_not_proven_is_refused_with_what_to_say(layer):
    network = whole_module(made(Sorted), classes=CLASSES, size=SIDE, layer=layer)
    message = (
        r"how the 16×6 values at layer '\w+' lie over the picture cannot be proven; say it with"
    )
    with pytest.raises(CutError, match=rf"{message} classifier.arrangement, as in .*tokens 14x14"):
        network.cut()
    assert network.logits(images()).shape == (2, CLASSES)


@pytest.mark.parametrize("declared", ["tokens", "tokens 4x4", "tokens 2x8"])
def test_a_declared_arrangement_is_taken_where_nothing_is_proven(declared):
    cut = cut_module(made(Sorted), classes=CLASSES, size=SIDE, layer="norm", arrangement=declared)
    assert cut.grid == ((2, 8) if declared == "tokens 2x8" else (4, 4))
    assert torch.equal(cut.logits(images()), made(Sorted)(images()).detach())


def test_a_declaration_against_the_proof_is_refused():
    message = (
        r"is 'tokens 2x17', and .* layer 'norm' are proven to be 'tokens\+2 4x8'; leave it out"
    )
    with pytest.raises(CutError, match=message):
        cut_module(
            made(TokenNetwork), classes=CLASSES, size=SIDE, layer="norm", arrangement="tokens 2x17"
        )


def test_a_layer_without_a_grid_is_refused():
    module, text = (
        made(TokenNetwork, prefix=0),
        "'mean' gives 6 values for an image, which lie on no",
    )
    with pytest.raises(CutError, match=text):
        cut_module(module, classes=CLASSES, size=SIDE, layer="mean")


@dataclass(frozen=True)
class Said(Classifier):
    """A classifier whose fields are looked at."""

    name: ClassVar[str] = "said"

    def module(self, classes):
        return made(Sorted)

    def normalisation(self):
        return Normalisation()

    def input_size(self):
        return SIDE


def test_a_classifier_without_a_declaration_has_the_keys_that_it_had():
    assert set(Said(layer="norm").parameters()) == {"weights", "layer"}
    assert Said(layer="norm").place == "norm"


def test_a_declaration_tells_cuts_apart():
    said = Said(layer="norm", arrangement="tokens 2x8")
    assert said.parameters()["arrangement"] == "tokens 2x8"
    assert said.place == "norm as tokens 2x8"
    assert whole_classifier(said, made(Sorted), CLASSES).cut().grid == (2, 8)


def test_a_part_with_other_weights_is_rearranged_as_well():
    module, other = made(TokenNetwork), TokenNetwork(CLASSES).eval()
    cut = cut_module(module, classes=CLASSES, size=SIDE)
    bottom, top = (with_state(part, other.state_dict(), "other") for part in cut.parts)
    with torch.no_grad():
        assert torch.equal(top(bottom(images())), other(images()))
    assert set(original_names(cut.top).values()) <= set(module.state_dict())
