"""Boxes are those around the masks of all parts."""

import numpy as np
import pytest

from xbench_toybirds.dataset import Toybirds
from xbench_toybirds.drawing import parts

BIRDS = Toybirds()
SHOWN = [*BIRDS.ids("test")[:6], *BIRDS.ids("shifted")[:6]]


@pytest.mark.parametrize("image", SHOWN)
def test_a_box_is_the_least_one_around_all_parts(image):
    (mask,) = BIRDS.part_masks([image])
    seen = [
        (x, y) for y, row in enumerate(mask.tolist()) for x, part in enumerate(row) if part >= 0
    ]
    left, top = (min(place[axis] for place in seen) for axis in (0, 1))
    right, bottom = (max(place[axis] for place in seen) + 1 for axis in (0, 1))
    assert BIRDS.object_boxes([image]).tolist() == [[left, top, right - left, bottom - top]]


def test_boxes_are_those_of_their_images_in_any_order():
    boxes = BIRDS.object_boxes(SHOWN)
    assert (BIRDS.object_boxes(SHOWN[::-1]) == boxes.flip(0)).all()


def test_nothing_shown_has_no_box():
    assert np.isnan(parts.boxes(np.full((1, 4, 5), -1, np.int8))).all()
