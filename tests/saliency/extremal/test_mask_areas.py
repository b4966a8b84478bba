"""Areas of masks: the loss against loops, and exactly the share that is asked for."""

import pytest
import scipy.optimize
import torch
from hypothesis import given
from hypothesis import strategies as st

from xbench import generator
from xbench_saliency.kernels.areas import area_loss, strongest, with_areas


def slow_loss(mask, area):
    """Sorted values one by one against the last ones of an ideal mask, in double precision."""
    values = sorted(float(value) for value in mask.flatten())
    count, loss = len(values), 0.0
    for place, value in enumerate(values):
        ideal = min(1.0, max(0.0, place + 1 - count * (1 - area)))
        loss += (value - ideal) ** 2
    return loss / count


@pytest.mark.parametrize("area", [0.1, 0.25, 0.5, 0.99])
def test_the_loss_is_that_of_a_loop_over_sorted_values(area):
    masks = torch.rand(3, 4, 7, generator=generator("masks"))
    losses = area_loss(masks, torch.full((3,), area))
    for mask, loss in zip(masks, losses, strict=True):
        assert float(loss) == pytest.approx(slow_loss(mask, area), rel=1e-5)


def test_the_loss_is_zero_for_masks_of_the_area_alone():
    mask = torch.zeros(1, 4, 5)
    mask[0, 1:3, 0:2] = 1
    assert area_loss(mask, torch.tensor([0.2])) == pytest.approx(0, abs=1e-6)
    assert area_loss(mask, torch.tensor([0.4])) == pytest.approx(0.2)
    assert area_loss(1 - mask, torch.tensor([0.2])) == pytest.approx(0.6)


@pytest.mark.parametrize("area", [0.2, 0.5, 0.8])
def test_a_mask_gets_its_area_by_the_power_that_a_root_finder_finds(area):
    masks = torch.rand(3, 5, 8, generator=generator("powers"))
    made = with_areas(masks, torch.full((3,), area))
    for mask, one in zip(masks.double(), made.double(), strict=True):
        power = scipy.optimize.brentq(lambda p, of=mask: float((of**p).mean()) - area, 0.01, 20)
        torch.testing.assert_close(one, mask**power, rtol=1e-4, atol=1e-5)
        assert float(one.mean()) == pytest.approx(area, abs=1e-6)
        order = mask.flatten().argsort()
        assert (one.flatten()[order].diff() >= 0).all()


def test_a_mask_that_has_its_area_or_can_have_no_other_stays_as_it_is():
    half = torch.full((1, 4, 4), 0.25)
    torch.testing.assert_close(with_areas(half, torch.tensor([0.25])), half)
    binary = torch.zeros(1, 4, 5)
    binary[0, 1:3, 0:2] = 1
    for mask in (binary, 0 * binary, 0 * binary + 1):
        assert torch.equal(with_areas(mask, torch.tensor([0.6])), mask)


@given(
    area=st.floats(0.001, 0.999),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    kinds=st.integers(1, 4),
)
def test_the_strongest_pixels_are_exactly_the_share_and_no_weaker_than_the_rest(
    area, height, width, kinds
):
    maps = torch.randint(kinds, (2, height, width), generator=generator(kinds)).float()
    inside = strongest(maps, area)
    for one, chosen in zip(maps, inside, strict=True):
        assert chosen.sum() == round(area * height * width)
        if chosen.any() and not chosen.all():
            assert one[chosen].min() >= one[~chosen].max()


def test_among_equals_the_first_are_taken_row_by_row():
    inside = strongest(torch.tensor([[0.5, 1.0, 0.5], [0.5, 0.5, 0.5]]), 0.5)
    assert inside.tolist() == [[True, True, True], [False, False, False]]
    assert strongest(torch.zeros(2, 2), 0.25).tolist() == [[True, False], [False, False]]
