"""Perturbations and qualities of pictures, against slow twins."""

import colorsys
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from xbench import generator
from xbench_ces.kernels import appearance
from xbench_ces.kernels.appearance import PERTURBATIONS

STRENGTHS = (0.0, 0.1, 0.5, 1.0)
LUMA = (0.299, 0.587, 0.114)
SEEDS = st.integers(0, 10**6)


def pictures(seed: int = 0, count: int = 2, height: int = 7, width: int = 9) -> Tensor:
    """Random pictures in double precision, one of them with grey and fully saturated pixels."""
    images = torch.rand(count, 3, height, width, generator=generator(seed), dtype=torch.float64)
    images[0, :, 0] = 0.25
    images[0, :, 1] = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)[:, None]
    return images


def each_pixel(images: Tensor, change) -> Tensor:
    changed_images = images.clone()
    for n in range(images.shape[0]):
        for y in range(images.shape[2]):
            for x in range(images.shape[3]):
                changed = change(*images[n, :, y, x].tolist())
                changed_images[n, :, y, x] = torch.tensor(changed, dtype=images.dtype)
    return changed_images


def slow_luma(red: float, green: float, blue: float) -> float:
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def slow_grey(images: Tensor, strength: float) -> Tensor:
    def change(*rgb: float) -> list[float]:
        return [(1 - strength) * part + strength * slow_luma(*rgb) for part in rgb]

    return each_pixel(images, change)


def slow_hue(images: Tensor, strength: float) -> Tensor:
    def change(*rgb: float) -> tuple[float, float, float]:
        hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
        return colorsys.hsv_to_rgb((hue + strength / 2) % 1, saturation, value)

    return each_pixel(images, change)


def slow_blur(images: Tensor, strength: float) -> Tensor:
    """The Gaussian in two dimensions, pixel by pixel, borders repeated outwards."""
    height, width = images.shape[-2:]
    sigma = strength * 0.05 * min(height, width)
    if not sigma:
        return images
    reach = max(1, math.ceil(3 * sigma))
    blurred = torch.zeros_like(images)
    for y in range(height):
        for x in range(width):
            total = 0.0
            for dy in range(-reach, reach + 1):
                for dx in range(-reach, reach + 1):
                    weight = math.exp(-(dy * dy + dx * dx) / (2 * sigma * sigma))
                    row, column = min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)
                    blurred[:, :, y, x] += weight * images[:, :, row, column]
                    total += weight
            blurred[:, :, y, x] /= total
    return blurred


TWINS = {"grey": slow_grey, "hue": slow_hue, "blur": slow_blur}


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("strength", STRENGTHS)
def test_perturbations_equal_their_slow_twins(name: str, strength: float) -> None:
    images = pictures()
    changed_images = PERTURBATIONS[name](images, strength)
    torch.testing.assert_close(changed_images, TWINS[name](images, strength), atol=1e-9, rtol=0)


def test_every_perturbation_has_a_twin() -> None:
    assert TWINS.keys() == PERTURBATIONS.keys()


@pytest.mark.parametrize("name", PERTURBATIONS)
@given(seed=SEEDS, strength=st.floats(0, 1))
def test_perturbed_images_stay_images(name: str, seed: int, strength: float) -> None:
    images = pictures(seed).float()
    copy = images.clone()
    changed_images = PERTURBATIONS[name](images, strength)
    assert changed_images.shape == images.shape
    assert changed_images.dtype == images.dtype
    assert changed_images.min() >= 0
    assert changed_images.max() <= 1
    assert torch.equal(images, copy)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_a_strength_of_zero_changes_nothing(name: str) -> None:
    images = pictures().float()
    assert torch.equal(PERTURBATIONS[name](images, 0.0), images)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_images_do_not_depend_on_their_batch(name: str) -> None:
    images = pictures(3, 4)
    alone = torch.cat([PERTURBATIONS[name](image[None], 0.7) for image in images])
    torch.testing.assert_close(PERTURBATIONS[name](images, 0.7), alone, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_an_image_of_one_grey_stays_as_it_is(name: str) -> None:
    images = torch.full((1, 3, 6, 6), 0.4, dtype=torch.float64)
    torch.testing.assert_close(PERTURBATIONS[name](images, 1.0), images)


def test_full_grey_has_equal_channels_and_keeps_its_luma() -> None:
    grey = appearance.grey(pictures(), 1.0)
    assert torch.equal(grey[:, 0], grey[:, 1])
    torch.testing.assert_close(appearance.grey(grey, 1.0), grey)


def test_half_a_turn_of_the_hue_gives_the_opposite_colour() -> None:
    red = torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    assert appearance.hue(red, 1.0).flatten().tolist() == [0.0, 1.0, 1.0]
    twice = appearance.hue(appearance.hue(pictures(), 1.0), 1.0)
    torch.testing.assert_close(twice, pictures())


@given(seed=SEEDS)
def test_hues_are_those_of_the_standard_library(seed: int) -> None:
    images = pictures(seed)
    hues = appearance.hues(images)[:, None].expand(-1, 3, -1, -1)
    expected = each_pixel(images, lambda *rgb: [360 * colorsys.rgb_to_hsv(*rgb)[0]] * 3)
    torch.testing.assert_close(hues.contiguous(), expected, atol=1e-9, rtol=0)


def test_colour_filters_multiply_the_luma() -> None:
    factors = (0.5, 1.2, 0.1)

    def change(*rgb: float) -> list[float]:
        return [min(1.0, slow_luma(*rgb) * factor) for factor in factors]

    changed_images = appearance.coloured(pictures(), factors)
    torch.testing.assert_close(changed_images, each_pixel(pictures(), change), atol=1e-12, rtol=0)


@pytest.mark.parametrize("factor", [0.35, 1.7])
def test_exposure_multiplies_and_is_cut_off_at_white(factor: float) -> None:
    twin = each_pixel(pictures(), lambda *rgb: [min(1.0, factor * part) for part in rgb])
    torch.testing.assert_close(appearance.exposed(pictures(), factor), twin)


@pytest.mark.parametrize("factor", [0.35, 2.0])
def test_contrast_spreads_values_about_each_images_mean_luma(factor: float) -> None:
    images = pictures()
    changed_images = appearance.contrasted(images, factor)
    for image, changed in zip(images, changed_images, strict=True):
        lumas = [slow_luma(*image[:, y, x].tolist()) for y in range(7) for x in range(9)]
        mean = sum(lumas) / len(lumas)
        torch.testing.assert_close(changed, (mean + factor * (image - mean)).clamp(0, 1))


def test_noise_is_added_and_cut_off() -> None:
    images, noise = pictures(), torch.randn(2, 3, 7, 9, generator=generator(1)).double()
    changed_images = appearance.noisy(images, noise, 0.5)
    places = [(0, 0, 0, 0), (1, 2, 6, 8), (0, 1, 1, 3)]
    for place in places:
        expected = min(1.0, max(0.0, float(images[place] + 0.5 * noise[place])))
        assert float(changed_images[place]) == pytest.approx(expected)


@pytest.mark.parametrize("block", [2, 3, 20])
def test_pixelation_takes_means_of_squares_and_of_what_is_left_at_the_border(block: int) -> None:
    images, changed_images = pictures(), appearance.pixelated(pictures(), block)
    assert changed_images.shape == images.shape
    for top in range(0, 7, block):
        for left in range(0, 9, block):
            square = (slice(None), slice(None), slice(top, top + block), slice(left, left + block))
            mean = images[square].mean((2, 3), keepdim=True).expand_as(changed_images[square])
            torch.testing.assert_close(changed_images[square], mean)


def test_haze_hides_a_share() -> None:
    images = pictures()
    torch.testing.assert_close(appearance.hazy(images, 0.6, 0.85), 0.4 * images + 0.6 * 0.85)


def test_patterns_darken_where_they_are_zero() -> None:
    images, pattern = pictures(), torch.zeros(7, 9)
    pattern[2, 3] = 1.0
    changed_images = appearance.patterned(images, pattern, 0.6)
    torch.testing.assert_close(changed_images[:, :, 2, 3], images[:, :, 2, 3])
    torch.testing.assert_close(changed_images[:, :, 0, 0], 0.4 * images[:, :, 0, 0])


def test_stripes_and_checks_alternate_every_half_period() -> None:
    for y in range(12):
        for x in range(8):
            row, column = y // 2 % 2, x // 2 % 2
            assert appearance.stripes(12, 8, 4, "rows")[y, x] == row
            assert appearance.stripes(12, 8, 4, "columns")[y, x] == column
            assert appearance.stripes(12, 8, 4, "both")[y, x] == (row != column)


def test_dots_are_discs_in_every_square() -> None:
    pattern = appearance.dots(12, 18, 6)
    for y in range(12):
        for x in range(18):
            inside = (y % 6 - 2.5) ** 2 + (x % 6 - 2.5) ** 2 <= 4
            assert pattern[y, x] == inside
    assert 0 < pattern.mean() < 1


def test_a_gaussian_keeps_the_mean_of_a_periodic_middle_and_is_symmetric() -> None:
    point = torch.zeros(1, 3, 21, 21, dtype=torch.float64)
    point[..., 10, 10] = 1.0
    changed_images = appearance.gaussian_blur(point, 2.0)
    torch.testing.assert_close(changed_images.sum((2, 3)), torch.ones(1, 3, dtype=torch.float64))
    torch.testing.assert_close(changed_images, changed_images.flip(2))
    torch.testing.assert_close(changed_images, changed_images.transpose(2, 3))
