"""Locations follow numbers wherever they are moved, and are lost where numbers are mixed."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from xbench.networks.locations import agreed, alike, in_common, is_plane, numbered, of_grid
from xbench.networks.places import Places

GRID = of_grid(4, 6)


def places_of(function):
    """Of what a function makes of an image of two channels and 4 × 6 pixels."""
    image = torch.rand(1, 2, 4, 6)
    with torch.no_grad(), Places(image) as places:
        made = function(image)
        return places.of(made)


def last(image):
    return image.permute(0, 2, 3, 1)


def tokens(image):
    return image.flatten(2).transpose(1, 2)


def windows(values):
    """Windows of 2 × 3, as many as a batch."""
    return values.view(1, 2, 2, 2, 3, -1).permute(0, 1, 3, 2, 4, 5).reshape(4, 6, -1)


def put_back(values):
    return values.view(1, 2, 2, 2, 3, -1).permute(0, 1, 3, 2, 4, 5).reshape(1, 4, 6, -1)


MOVED = {
    "rolled": (lambda x: x.roll((1, 2), (2, 3)), GRID.roll((1, 2), (0, 1))),
    "in windows and back": (lambda x: put_back(windows(last(x))).permute(0, 3, 1, 2), GRID),
    "cropped": (lambda x: functional.pad(x, (1, 1, 1, 1))[:, :, 1:-1, 1:-1], GRID),
    "chunks joined": (lambda x: torch.cat(x.chunk(2, 1), 1), GRID),
    "like another": (lambda x: x.flatten(2).reshape_as(x), GRID),
}


@pytest.mark.parametrize(("function", "expected"), MOVED.values(), ids=MOVED)
def test_what_moves_numbers_moves_locations(function, expected):
    assert torch.equal(places_of(function), expected.expand(1, 2, 4, 6))


COMPUTED = {
    "a linear layer": lambda x: nn.Linear(2, 5)(last(x))[0, ..., 0],
    "each pixel": lambda x: nn.Conv2d(2, 5, 1)(x)[0, 0],
    "a convolution": lambda x: nn.Conv2d(2, 5, 3, padding=1)(x)[0, 0],
    "one in a padded picture": lambda x: nn.Conv2d(2, 5, 3)(functional.pad(x, (1, 1, 1, 1)))[0, 0],
    "one in a mirrored picture": (
        lambda x: nn.Conv2d(2, 5, 3)(functional.pad(x, (1, 1, 1, 1), "reflect"))[0, 0]
    ),
    "a mean of windows beside a short cut": (
        lambda x: (last(x) + put_back(windows(last(x)).mean(1, keepdim=True).expand(4, 6, 2)))[
            0, ..., 0
        ]
    ),
    "what is not known beside a short cut": lambda x: (x + x.sort(3)[0])[0, 0],
    "a gate": lambda x: (x * x.mean((2, 3), keepdim=True).sigmoid())[0, 0],
    "normalised": lambda x: nn.GroupNorm(1, 2)(nn.BatchNorm2d(2).eval()(x))[0, 0],
    "queries": (
        lambda x: (tokens(x) @ tokens(x).sort(1)[0].new_ones(1, 2, 9)).view(4, 6, 9)[..., 0]
    ),
    "attention": (
        lambda x: functional.scaled_dot_product_attention(tokens(x), tokens(x), tokens(x)).view(
            4, 6, 2
        )[..., 0]
    ),
    "attention by its definition": (
        lambda x: ((tokens(x) @ x.flatten(2)).softmax(-1) @ tokens(x)).view(4, 6, 2)[..., 0]
    ),
    "columns": (
        lambda x: (x.flatten(2) @ (tokens(x) @ x.flatten(2)).softmax(-1).transpose(1, 2)).view(
            2, 4, 6
        )[0]
    ),
}


@pytest.mark.parametrize("function", COMPUTED.values(), ids=COMPUTED)
def test_what_is_computed_at_a_location_stays_there(function):
    assert torch.equal(numbered(places_of(function)), GRID)


MERGED = {
    "blocks of two by two": lambda x: last(x).view(1, 2, 2, 3, 2, 2).permute(0, 1, 3, 2, 4, 5),
    "every second row and column": lambda x: torch.stack(
        [last(x)[:, i::2, j::2] for i in (0, 1) for j in (0, 1)], 3
    ),
}


@pytest.mark.parametrize("function", MERGED.values(), ids=MERGED)
def test_blocks_that_are_merged_are_cells_of_a_coarser_grid(function):
    places = places_of(lambda x: nn.Linear(8, 5)(function(x).flatten(3)))
    assert torch.equal(places, of_grid(2, 3)[None, ..., None].expand(1, 2, 3, 5))


LOST = {
    "mixed tokens": lambda x: nn.Linear(24, 24)(x.flatten(2)),
    "mixed rows": lambda x: nn.Linear(4, 4)(x.transpose(2, 3)),
    "rows far apart": lambda x: nn.Linear(4, 3)(
        last(x).view(1, 2, 2, 6, 2).permute(0, 2, 3, 1, 4).flatten(3)
    ),
    "learned sums of tokens": lambda x: torch.rand(24, 24) @ tokens(x),
    "covariances of channels": lambda x: x.flatten(2) @ tokens(x),
    "a transposed picture": lambda x: nn.Conv2d(2, 5, 3)(x.transpose(2, 3)),
    "what lies elsewhere": lambda x: x + x.flip(3),
}


@pytest.mark.parametrize("function", LOST.values(), ids=LOST)
def test_what_is_mixed_belongs_nowhere(function):
    assert not places_of(function).any()


UNKNOWN = {
    "sorted": lambda x: x.sort(3)[0],
    "picked by itself": lambda x: x[:, :, x.argmax(2)[0, 0]],
    "assigned to": lambda x: _assigned(x.clone()),
    "of an unknown factor": lambda x: tokens(x.sort(3)[0]) @ x.flatten(2),
}


def _assigned(values):
    values[:, 0] = values[:, 1].flip(1)
    return values


@pytest.mark.parametrize("function", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_to_keep_them_has_no_locations(function):
    places = places_of(function)
    assert places is None or not torch.equal(places, GRID.expand(1, 2, 4, 6))


def test_constants_belong_nowhere():
    places = places_of(lambda x: torch.cat([x.new_zeros(1, 3, 2), tokens(x)], 1))
    assert not places[:, :3].any()
    assert torch.equal(places[:, 3:], GRID.flatten()[None, :, None].expand(1, 24, 2))


def test_the_location_along_an_axis_is_the_one_that_all_have():
    places = torch.tensor([[3, 3, 0], [3, 4, 3], [0, 0, 0]])
    assert alike(places, 1).tolist() == [3, 0, 0]


def test_cells_that_overlap_are_no_grid():
    rows = GRID[[0, 2, 1, 3]].view(2, 2, 6).permute(0, 2, 1)
    assert not in_common(rows, 2).any()
    assert torch.equal(in_common(GRID.view(2, 2, 6).permute(0, 2, 1), 2), of_grid(2, 6))


def test_a_plane_may_have_a_border_and_no_holes():
    bordered = functional.pad(GRID, (1, 2, 0, 1))
    assert is_plane(bordered)
    bordered[1, 2] = 0
    assert not is_plane(bordered)
    assert not is_plane(torch.zeros_like(GRID))


def test_two_agree_where_they_are_the_same_or_one_has_none():
    one, other = GRID.clone(), GRID[:, :].clone()
    one[0, 0] = 0
    assert torch.equal(agreed(one, other), GRID)
    assert not agreed(GRID, GRID.flip(1))[0].any()
