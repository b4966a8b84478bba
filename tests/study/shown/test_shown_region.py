"""One region of an image, alone, and its control."""

from dataclasses import replace

import pytest
import torch

from tiny_regions import SquareDoubt, TinyRegions
from xbench import MismatchError, explained, generator
from xbench.testing import tiny_batch
from xbench_saliency.floors.random_map import RandomMap
from xbench_study.shown.shown_region import NEUTRAL, SHORTEST, ShownRegion

SHOWN = ShownRegion(SquareDoubt(), smallest=16)


def pictures(explainer, batch):
    return [one.pictures for one in explained(explainer, None, batch, {}, generator(0))]


def test_the_region_is_cut_out_and_enlarged():
    batch = tiny_batch()
    times = SHORTEST // 4
    for image, (piece,) in zip(batch.images, pictures(SHOWN, batch), strict=True):
        expected = image[:, 2:6, 2:6].repeat_interleave(times, 1).repeat_interleave(times, 2)
        torch.testing.assert_close(piece, expected)


def test_what_is_in_the_box_and_not_in_the_region_is_grey():
    region = torch.zeros(16, 16, dtype=torch.bool)
    region[3:7, 3] = region[6, 3:8] = True  # an L, with a part that does not touch it
    region[0, 15] = True
    (shown,) = (SHOWN.strongest(one) for one in [TinyRegions(region, (0, 1))])
    assert int(shown.region.sum()) == 8
    design = replace(SHOWN, smallest=1)
    image = torch.zeros(3, 16, 16)
    piece = design._picture(image, TinyRegions(region, (0, 1)), generator(0)).pictures[0]
    small = piece[:, :: SHORTEST // 5 + 1, :: SHORTEST // 5 + 1]
    assert small.shape == (3, 4, 5)
    assert (small[0] == NEUTRAL).sum() == 4 * 5 - 8
    assert small[0, :, 0].eq(0).all()


def test_the_control_has_the_same_form_elsewhere_in_the_same_image():
    batch = tiny_batch(12)
    control = replace(SHOWN, place="random", overlap=0.25)
    placed = set()
    for image, (piece,) in zip(batch.images, pictures(control, batch), strict=True):
        small = piece[:, :: SHORTEST // 4, :: SHORTEST // 4]
        assert small.shape == (3, 4, 4)
        (place,) = [
            (row, column)
            for row in range(13)
            for column in range(13)
            if torch.equal(image[:, row : row + 4, column : column + 4], small)
        ]
        shared = max(0, 4 - abs(place[0] - 2)) * max(0, 4 - abs(place[1] - 2))
        assert shared <= 4
        placed.add(place)
    assert len(placed) > 6


def test_a_control_does_not_depend_on_how_images_are_batched():
    batch, control = tiny_batch(3), replace(SHOWN, place="random")
    whole = pictures(control, batch)
    for place in range(3):
        alone = replace(batch, images=batch.images[place : place + 1], ids=(place,), labels=None)
        torch.testing.assert_close(pictures(control, alone)[0], whole[place])


@pytest.mark.parametrize(
    ("of", "fault"),
    [
        (SquareDoubt(without=(0,)), "no region of two classes"),
        (SquareDoubt(side=3), "a region of fewer than 16 pixels"),
        (SquareDoubt(side=14), "no other place for their region"),
    ],
)
def test_images_without_a_region_that_can_be_shown_have_no_picture(of, fault):
    shown = replace(SHOWN, of=of)
    (explanation,) = explained(of, None, tiny_batch(1), {}, generator(0))
    assert shown.fault(shown.strongest(explanation)) == fault
    for place in ("explained", "random"):
        (empty,) = pictures(replace(shown, place=place), tiny_batch(1))
        assert empty.shape == (0, 3, 16, 16)


def test_explanations_without_regions_of_pairs_say_so():
    shown, batch = ShownRegion(RandomMap()), tiny_batch(1)
    from xbench.testing import tiny_network

    with pytest.raises(
        MismatchError, match="of kind 'saliency-map' have no regions of two classes"
    ):
        explained(shown, tiny_network(), batch, {}, generator(0))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"condition": " "}, "condition is empty"),
        ({"coverage": 0.0}, "coverage must lie between 0 and 1"),
        ({"overlap": 1.0}, "overlap be at least 0 and below 1"),
        ({"smallest": 0}, "smallest at least 1"),
    ],
)
def test_impossible_shares_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        replace(SHOWN, **fields)
