"""What is left of an image where only what maps mark is seen."""

import pytest
import torch

from xbench_study.floors.hiding import BLUR, blurred, marked, strongest, with_hidden

MAP = torch.tensor([[0.1, 0.9, 0.0], [0.9, 0.2, 0.3]])


def slow_strongest(strengths, share):
    """Pixel by pixel: those that fewer than the allowed number of others stand before."""
    values = [float(v) for v in strengths.flatten()]
    count = round(share * len(values))
    before = [
        sum(w > v or (w == v and j < i) for j, w in enumerate(values)) for i, v in enumerate(values)
    ]
    kept = [b < count and v > 0 for b, v in zip(before, values, strict=True)]
    return torch.tensor(kept).view_as(strengths)


@pytest.mark.parametrize("share", [0.1, 1 / 6, 1 / 3, 0.5, 1])
def test_the_strongest_pixels_are_kept_and_of_equals_the_first(share):
    drawn = torch.rand(5, 7, generator=torch.Generator().manual_seed(0)).mul(4).round()
    for strengths in (MAP, drawn):
        assert strongest(strengths, share).equal(slow_strongest(strengths, share))


def test_a_map_that_marks_nothing_leaves_nothing():
    assert not strongest(torch.zeros(4, 4), 1).any()
    assert strongest(MAP, 1).sum() == 5


def test_a_pixel_that_one_of_several_maps_marks_is_seen():
    other = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert marked([MAP, other], 1 / 6).tolist() == [[True, True, False], [False] * 3]


def test_the_rest_has_the_images_mean_colour():
    image = torch.rand(3, 2, 3, generator=torch.Generator().manual_seed(1))
    kept = strongest(MAP, 1 / 6)
    seen = with_hidden(image, kept, "mean")
    assert seen[:, 0, 1].equal(image[:, 0, 1])
    torch.testing.assert_close(seen[:, 1, 2], image.mean((1, 2)))


def test_a_blur_is_a_weighted_mean_of_all_pixels():
    image = torch.rand(3, 4, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    sigma = BLUR * 6
    total, slow = 0.0, torch.zeros(3, dtype=torch.float64)
    for y in range(4):
        for x in range(6):
            weight = torch.exp(torch.tensor(-((y - 1) ** 2 + (x - 5) ** 2) / (2 * sigma**2)))
            total, slow = total + weight, slow + weight * image[:, y, x]
    torch.testing.assert_close(blurred(image, sigma)[:, 1, 5], slow / total, rtol=1e-6, atol=1e-6)
    seen = with_hidden(image, torch.zeros(4, 6, dtype=torch.bool), "blurred")
    torch.testing.assert_close(seen, blurred(image, sigma))
    grey = torch.full((3, 4, 6), 0.3)
    torch.testing.assert_close(blurred(grey, sigma), grey)
