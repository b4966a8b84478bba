"""Maps that know the image alone: edges equal plain loops, and the centre is a disc."""

import math

import pytest
import torch

from threads import threads
from xbench.kernels.image_maps import centre_map, sobel_magnitude


def test_closeness_to_the_centre_is_minus_a_distance():
    found = centre_map(3, 6)
    for y in range(3):
        for x in range(6):
            assert float(found[y, x]) == pytest.approx(-math.hypot(y - 1, x - 2.5))


def test_sobel_finds_an_edge_and_equals_its_slow_twin():
    image = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(0))
    grey = image.mean(1)[0].double()
    fast = sobel_magnitude(image)[0]
    weights = {(i, j): j * (2 - abs(i)) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    for y in range(6):
        for x in range(7):
            at = {
                (i, j): grey[min(max(y + i, 0), 5), min(max(x + j, 0), 6)]
                for i in (-1, 0, 1)
                for j in (-1, 0, 1)
            }
            gx = sum(weights[i, j] * at[i, j] for i, j in at)
            gy = sum(weights[j, i] * at[i, j] for i, j in at)
            assert float(fast[y, x]) == pytest.approx(float((gx**2 + gy**2) ** 0.5), abs=1e-5)


@pytest.mark.parametrize("side", [33, 96, 101])
def test_edges_do_not_depend_on_threads_or_on_other_images(side):
    images = torch.rand(8, 3, side, side, generator=torch.Generator().manual_seed(side))
    edges = []
    for count in (1, 2, 3, 4):
        with threads(count):
            edges.append(sobel_magnitude(images))
            edges.append(torch.cat([sobel_magnitude(image[None]) for image in images]))
    assert all(torch.equal(edges[0], others) for others in edges[1:])
