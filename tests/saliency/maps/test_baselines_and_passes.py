"""Baselines are images that show nothing; passes are cut to a size that hangs on nothing else."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench import generator
from xbench_saliency.kernels.windows import mean_over_windows, sliding_windows
from xbench_saliency.maps.baselines import baseline_images
from xbench_saliency.maps.passes import PIXELS, passes


def random(*shape):
    return torch.rand(*shape, generator=generator("baselines"))


@pytest.mark.parametrize("baseline", ["mean", "blur"])
@pytest.mark.parametrize("size", [(16, 16), (33, 50), (1, 1)])
def test_an_image_of_one_colour_is_its_own_baseline_to_the_bit(baseline, size):
    images = random(4, 3, 1, 1).expand(-1, -1, *size).contiguous()
    assert torch.equal(baseline_images(baseline, images), images)


def test_baselines_have_the_shape_and_the_mean_of_the_images():
    images = random(2, 3, 9, 12)
    grey = baseline_images("mean", images)
    assert grey.shape == images.shape
    torch.testing.assert_close(grey[1, 2, 3, 4], images[1, 2].mean())
    assert (baseline_images("black", images) == 0).all()
    soft = baseline_images("blur", random(2, 3, 64, 64))
    assert soft.std() < 0.2 * random(2, 3, 64, 64).std()


@given(st.integers(0, 400), st.integers(0, 50), st.sampled_from([32, 96, 224, 2000]))
def test_passes_have_every_image_once_in_order_and_are_even(count, per_pass, side):
    parts = list(passes(count, (side, side), per_pass))
    assert torch.equal(torch.cat([torch.arange(0), *parts]), torch.arange(count))
    most = per_pass or max(1, PIXELS // side**2)
    sizes = [len(part) for part in parts]
    assert all(0 < size <= most for size in sizes)
    assert not sizes or max(sizes) - min(sizes) <= 1


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 6), st.integers(1, 6))
def test_maps_of_windows_are_means_over_the_windows_that_cover_a_pixel(height, width, side, stride):
    side = min(side, height, width)
    windows = sliding_windows((height, width), side, min(stride, side))
    changes = random(windows.number)
    masks = windows.masks(torch.arange(windows.number))[:, 0]
    found = mean_over_windows(changes, windows)
    assert masks.any(0).all()
    for y in range(height):
        for x in range(width):
            assert float(found[y, x]) == pytest.approx(float(changes[masks[:, y, x]].mean()))
