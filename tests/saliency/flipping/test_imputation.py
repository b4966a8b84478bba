"""Linear imputation: against a dense solve from the formula, and its degenerate cases."""

import pytest
import torch

from xbench import generator
from xbench_saliency.kernels.imputation import linear_imputed


def dense_imputed(image, missing):
    """The paper's equation for each missing pixel, solved as a dense system."""
    channels, height, width = image.shape
    pixels = [(i, j) for i in range(height) for j in range(width) if missing[i, j]]
    number = {pixel: place for place, pixel in enumerate(pixels)}
    system = torch.zeros(len(pixels), len(pixels), dtype=torch.float64)
    known = torch.zeros(len(pixels), channels, dtype=torch.float64)
    for (i, j), place in number.items():
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                y, x = i + down, j + right
                if (down, right) == (0, 0) or not (0 <= y < height and 0 <= x < width):
                    continue
                weight = 1 / 6 if down == 0 or right == 0 else 1 / 12
                system[place, place] += weight
                if (y, x) in number:
                    system[place, number[y, x]] -= weight
                else:
                    known[place] += weight * image[:, y, x]
    solved, found = torch.linalg.solve(system, known), image.clone()
    for (i, j), place in number.items():
        found[:, i, j] = solved[place]
    return found


def random_image(size, seed=0):
    return torch.rand(3, *size, generator=generator("image", seed), dtype=torch.float64)


@pytest.mark.parametrize("size", [(9, 13), (1, 7), (16, 16), (12, 2)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_it_is_the_dense_solution(size, share):
    image = random_image(size)
    missing = torch.rand(size, generator=generator("missing", share)) < share
    missing[0, 0] = False
    torch.testing.assert_close(
        linear_imputed(image, missing), dense_imputed(image, missing), rtol=0, atol=1e-10
    )


def test_all_but_one_pixel_missing_gives_its_colour_everywhere():
    image, missing = random_image((10, 12)), torch.ones(10, 12, dtype=torch.bool)
    missing[4, 5] = False
    expected = image[:, 4:5, 5:6].expand_as(image)
    torch.testing.assert_close(linear_imputed(image, missing), expected)


def test_all_missing_is_the_mean_of_each_channel():
    image = random_image((6, 5))
    imputed = linear_imputed(image, torch.ones(6, 5, dtype=torch.bool))
    torch.testing.assert_close(imputed, image.mean((1, 2))[:, None, None].expand_as(image))


def test_nothing_missing_changes_nothing_and_what_is_known_stays():
    image, missing = random_image((8, 8)), torch.zeros(8, 8, dtype=torch.bool)
    assert torch.equal(linear_imputed(image, missing), image)
    missing[2:7, 1:6] = True
    before = image.clone()
    assert torch.equal(linear_imputed(image, missing)[:, ~missing], image[:, ~missing])
    assert torch.equal(image, before)


def test_values_lie_between_those_of_known_pixels():
    image, missing = random_image((20, 20)), torch.zeros(20, 20, dtype=torch.bool)
    missing[3:18, 2:15] = True
    imputed, known = linear_imputed(image, missing), image[:, ~missing]
    assert (imputed.amin((1, 2)) >= known.amin(1) - 1e-12).all()
    assert (imputed.amax((1, 2)) <= known.amax(1) + 1e-12).all()


def test_a_plane_is_imputed_exactly_inside():
    rows, columns = torch.meshgrid(torch.arange(12.0), torch.arange(9.0), indexing="ij")
    image = (0.02 * rows + 0.05 * columns).double()[None]
    missing = torch.zeros(12, 9, dtype=torch.bool)
    missing[2:10, 3:7] = True
    torch.testing.assert_close(linear_imputed(image, missing), image)
