"""Blur, its levels, and images between them: against double loops."""

import math

import pytest
import torch

from xbench import generator
from xbench_saliency.kernels.blur import at_levels, blur_pyramid, blurred, gaussian_weights


def slow_blur(image, sigma):
    """Each pixel's weighted mean over all pixels of the image, in double precision."""
    height, width = image.shape
    result = torch.zeros(height, width, dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            above = below = 0.0
            for k in range(height):
                for m in range(width):
                    weight = math.exp(-((i - k) ** 2 + (j - m) ** 2) / (2 * sigma**2))
                    above, below = above + weight * float(image[k, m]), below + weight
            result[i, j] = above / below
    return result


def slow_pixel(levels, height):
    """A pixel of levels from the first (0) to the last (1)."""
    place = float(height) * (len(levels) - 1)
    below = min(int(place), len(levels) - 2)
    share = place - below
    return (1 - share) * float(levels[below]) + share * float(levels[below + 1])


@pytest.mark.parametrize("sigma", [0.3, 1.0, 4.0, 50.0])
def test_blur_is_the_weighted_mean_of_the_images_own_pixels(sigma):
    image = torch.rand(6, 9, generator=generator("image"))
    expected = slow_blur(image, sigma)
    torch.testing.assert_close(blurred(image, sigma).double(), expected, rtol=1e-5, atol=1e-6)


def test_a_constant_image_stays_what_it_is_up_to_its_borders():
    image = torch.full((3, 8, 5), 0.7)
    assert torch.equal(blurred(image, 3.0), image)
    assert torch.equal(blurred(image, 0.0), image)
    torch.testing.assert_close(gaussian_weights(5, 2.0).sum(1), torch.ones(5).double())
    assert torch.equal(gaussian_weights(1, 2.0), torch.ones(1, 1).double())


def test_images_between_levels_are_those_of_a_loop_over_pixels():
    images = torch.rand(2, 3, 5, 4, generator=generator("images"))
    pyramid = blur_pyramid(images, [3.0, 1.0, 0.5, 0.0])
    heights = torch.rand(2, 3, 5, 4, generator=generator("heights"))
    heights[:, :, 0, 0], heights[:, :, 1, 1], heights[:, :, 2, 2] = 0.0, 1.0, 1 / 3
    found = at_levels(pyramid, heights)
    assert found.shape == (2, 3, 3, 5, 4)
    for n, m, c, i, j in torch.cartesian_prod(*map(torch.arange, found.shape)).tolist():
        expected = slow_pixel(pyramid[n, :, i, j, c].double(), heights[n, m, i, j])
        assert float(found[n, m, c, i, j]) == pytest.approx(expected, abs=1e-6)


def test_heights_of_one_are_the_image_and_heights_of_zero_its_strongest_blur():
    images = torch.rand(1, 3, 6, 6, generator=generator("images"))
    pyramid = blur_pyramid(images, [2.0, 1.0, 0.0])
    ends = at_levels(pyramid, torch.stack([torch.ones(6, 6), torch.zeros(6, 6)])[None])[0]
    assert torch.equal(ends[0], images[0])
    assert torch.equal(ends[1], blurred(images, 2.0)[0])


def test_gradients_go_to_the_heights_at_both_ends_too():
    images = torch.rand(1, 3, 4, 4, dtype=torch.float64, generator=generator("images"))
    pyramid = blur_pyramid(images, [2.0, 0.0])
    heights = torch.rand(1, 1, 4, 4, dtype=torch.float64, generator=generator("heights"))
    assert torch.autograd.gradcheck(lambda h: at_levels(pyramid, h), heights.requires_grad_())
    for end in (0.0, 1.0):
        edge = torch.full((1, 1, 4, 4), end, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(at_levels(pyramid, edge).sum(), edge)
        expected = (images - blurred(images, 2.0)).sum(1, keepdim=True)
        torch.testing.assert_close(slope, expected)
