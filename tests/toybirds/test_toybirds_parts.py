"""Points and masks of parts."""

import numpy as np
import torch

from xbench_toybirds.drawing.parts import masks, plain_scene, points, visibility
from xbench_toybirds.drawing.render import GAP, SHAPE, render_regions
from xbench_toybirds.drawing.scene import FRAME

TEST = range(2_000_000, 2_000_150)


def slow_point(mask, part):
    """The pixel of a part nearest to the centroid of the part's pixels."""
    rows, columns = np.nonzero(mask == part)
    x, y = columns.mean(), rows.mean()
    distance = [(c - x) ** 2 + (r - y) ** 2 for r, c in zip(rows, columns, strict=True)]
    nearest = int(np.argmin(np.round(distance, 9)))
    return columns[nearest] + 0.5, rows[nearest] + 0.5


def test_every_visible_point_lies_on_its_part(birds):
    points, part_maps = birds.part_points(TEST), birds.part_masks(TEST)
    for image, part in torch.nonzero(points[:, :, 2]).tolist():
        x, y = points[image, part, :2].tolist()
        assert part_maps[image, int(y), int(x)] == part


def test_points_equal_the_slow_search(birds):
    points, part_maps = birds.part_points(TEST[:40]), birds.part_masks(TEST[:40]).numpy()
    for image, part in torch.nonzero(points[:, :, 2]).tolist():
        expected = slow_point(part_maps[image], part)
        assert tuple(points[image, part, :2].tolist()) == expected


def test_most_parts_are_visible_and_some_are_hidden(birds):
    share = birds.part_points(TEST)[:, :, 2].mean(0)
    assert (share > 0.8).all()
    assert share.mean() < 0.99


def test_a_covered_part_is_hidden():
    scene = plain_scene(24.0)
    cover = scene.occluders.copy()
    cover[0, 0] = [FRAME / 2 - 8, FRAME / 2 + 4, 20, 10, 1, 0]
    scene = scene._replace(occluders=cover)
    hidden = ~visibility(render_regions(scene), scene)[0]
    assert hidden[8]  # the wing
    assert not hidden[6]  # the eye


def test_a_bird_outside_the_image_has_no_visible_part():
    scene = plain_scene(24.0)
    away = scene._replace(centre=scene.centre + 200)
    regions = render_regions(away)
    visible = visibility(regions, away)
    assert not visible.any()
    assert (points(regions, visible) == 0).all()


def test_gaps_beside_a_shape_show_no_part():
    regions = np.array([[[-1, 3, 1 + GAP, 1 + SHAPE]]], dtype=np.int8)
    assert masks(regions).tolist() == [[[-1, 3, -1, 1]]]
