"""The transform moves pixels, points and masks by the same geometry."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2

from xbench.interfaces.data.transform import Transform

LANDSCAPE, PORTRAIT, ODD, SMALL = (375, 500), (500, 333), (251, 333), (61, 83)
DOWN, UP, NO_CROP, ONLY_CROP, PADDED = (
    Transform(256, 224),
    Transform(600, 512),
    Transform(144, 0),
    Transform(0, 200),
    Transform(41, 64),
)


def with_red_dot(size: tuple[int, int], x: float, y: float, width: float = 6.0) -> torch.Tensor:
    """A black image with a soft red dot, brightest at (x, y)."""
    rows = torch.arange(size[0])[:, None] + 0.5
    columns = torch.arange(size[1])[None] + 0.5
    red = 255 * torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2))
    return torch.stack([red, torch.zeros_like(red), torch.zeros_like(red)]).round().to(torch.uint8)


def centre(weights: torch.Tensor) -> tuple[float, float]:
    """The centre of gravity (x, y), in pixels whose centres lie at halves."""
    weights = weights.double()
    rows = torch.arange(weights.shape[0]) + 0.5
    columns = torch.arange(weights.shape[1]) + 0.5
    total = weights.sum()
    return float((weights.sum(0) @ columns.double()) / total), float(
        (weights.sum(1) @ rows.double()) / total
    )


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT, ODD])
@pytest.mark.parametrize("transform", [DOWN, UP, NO_CROP, ONLY_CROP], ids=str)
@pytest.mark.parametrize("shift", [(0.0, 0.0), (-31.5, 22.0), (17.5, -40.5)])
def test_moved_point_finds_the_moved_red_dot(size, transform, shift) -> None:
    x, y = size[1] / 2 + shift[0], size[0] / 2 + shift[1]
    image = transform.image(with_red_dot(size, x, y))
    point = transform.points(torch.tensor([[x, y, 1.0]]), size)[0]
    assert point[2] == 1
    assert centre(image[0]) == pytest.approx(point[:2].tolist(), abs=0.05)


@pytest.mark.parametrize("transform", [PADDED, Transform(0, 128)], ids=str)
def test_point_finds_the_dot_in_an_image_that_is_smaller_than_the_crop(transform) -> None:
    image = transform.image(with_red_dot(SMALL, 40.0, 25.5, width=4.0))
    point = transform.points(torch.tensor([[40.0, 25.5, 1.0]]), SMALL)[0]
    assert image.shape == (3, transform.crop, transform.crop)
    assert centre(image[0]) == pytest.approx(point[:2].tolist(), abs=0.05)


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT, ODD])
@pytest.mark.parametrize("transform", [DOWN, UP, NO_CROP, ONLY_CROP], ids=str)
def test_mask_covers_the_dot_that_it_labels(size, transform) -> None:
    x, y = size[1] / 2 - 20.5, size[0] / 2 + 33.5
    dot = with_red_dot(size, x, y, width=12.0)
    mask = torch.where(dot[0] >= 128, 7, -1).to(torch.int16)
    moved, red = transform.mask(mask) == 7, transform.image(dot)[0] >= 0.5
    assert moved.shape == red.shape
    assert (moved & red).sum() / (moved | red).sum() > 0.9
    point = transform.points(torch.tensor([[x, y, 1.0]]), size)[0]
    assert centre(moved) == pytest.approx(point[:2].tolist(), abs=0.25)


@pytest.mark.parametrize("size", [LANDSCAPE, PORTRAIT, ODD])
@pytest.mark.parametrize("transform", [DOWN, UP, NO_CROP, ONLY_CROP, PADDED], ids=str)
@pytest.mark.parametrize("box", [(40, 60, 80, 90), (0, 0, 200, 30), (100, 100, 151, 151)])
def test_a_moved_box_is_that_of_the_moved_mask(size, transform, box) -> None:
    x, y, width, height = box
    mask = torch.full(size, -1, dtype=torch.int16)
    mask[y : y + height, x : x + width] = 3
    moved = transform.box(torch.tensor(box, dtype=torch.float64), size)
    places = (transform.mask(mask) == 3).nonzero()
    shape = transform.image(torch.zeros(3, *size, dtype=torch.uint8)).shape[1:]
    assert transform.size(size) == tuple(shape)
    if not len(places):
        assert moved.isnan().all() or (moved[2:] < 1).any()
        return
    first, last = places.min(0).values.flip(0), places.max(0).values.flip(0) + 1
    assert torch.allclose(moved[:2], first.double(), atol=0.5001)
    assert torch.allclose(moved[:2] + moved[2:], last.double(), atol=0.5001)


def test_a_box_that_the_crop_removes_or_that_is_not_there_is_nan() -> None:
    away, absent = torch.tensor([0.0, 0.0, 20.0, 300.0]), torch.full((4,), torch.nan)
    assert DOWN.box(away, LANDSCAPE).isnan().all()
    assert DOWN.box(absent, LANDSCAPE).isnan().all()
    assert torch.equal(Transform().box(away, LANDSCAPE), away)


def test_points_that_the_crop_removes_are_hidden_and_hidden_points_stay_hidden() -> None:
    points = torch.tensor([[2.0, 187.0, 1.0], [250.0, 187.0, 1.0], [250.0, 187.0, 0.0]])
    moved = DOWN.points(points, LANDSCAPE)
    assert moved[:, 2].tolist() == [0, 1, 0]


def test_outer_border_of_the_crop_belongs_to_the_image() -> None:
    transform = Transform(0, 10)
    points = torch.tensor([[5.0, 10.0, 1.0], [14.99, 10.0, 1.0], [15.0, 10.0, 1.0]])
    assert transform.points(points, (20, 20))[:, 2].tolist() == [1, 1, 0]


def test_mask_shows_nothing_outside_the_image() -> None:
    mask = torch.zeros(4, 6, dtype=torch.int16)
    moved = Transform(0, 8).mask(mask)
    assert (moved == 0).sum() == 24
    assert (moved == -1).sum() == 40


def test_transform_without_steps_changes_nothing() -> None:
    image = with_red_dot(SMALL, 30, 30)
    points = torch.tensor([[30.0, 30.0, 1.0]])
    assert torch.equal((Transform().image(image) * 255).round(), image.float())
    assert torch.equal(Transform().points(points, SMALL), points)


TRANSFORMED = given(
    height=st.integers(8, 90),
    width=st.integers(8, 90),
    resize=st.sampled_from([0, *range(8, 70)]),
    crop=st.integers(0, 70),
)
"""Sizes of images, and what is done to them."""


@settings(max_examples=40, deadline=None)
@TRANSFORMED
def test_pixels_equal_those_of_torchvision(height, width, resize, crop) -> None:
    image = torch.randint(
        0, 256, (3, height, width), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    steps = [v2.Resize(resize, antialias=True)] if resize else []
    steps += [v2.CenterCrop(crop)] if crop else []
    expected = v2.Compose([*steps, v2.ToDtype(torch.float32, scale=True)])(image)
    assert torch.equal(Transform(resize, crop).image(image), expected)


@settings(max_examples=40, deadline=None)
@TRANSFORMED
def test_visible_points_lie_in_the_transformed_image(height, width, resize, crop) -> None:
    transform = Transform(resize, crop)
    xy = torch.rand(20, 2, generator=torch.Generator().manual_seed(2)) * torch.tensor(
        [width, height]
    )
    moved = transform.points(torch.cat([xy, torch.ones(20, 1)], dim=1), (height, width))
    shape = transform.image(torch.zeros(3, height, width, dtype=torch.uint8)).shape
    seen = moved[moved[:, 2] == 1]
    assert ((seen[:, 0] >= 0) & (seen[:, 0] < shape[2])).all()
    assert ((seen[:, 1] >= 0) & (seen[:, 1] < shape[1])).all()
    assert crop or len(seen) == 20
