"""Contact sheets of datasets with and without parts."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from small_datasets import Made
from xbench.interfaces.data.annotation import ObjectBoxes, PartPoints
from xbench.interfaces.data.dataset import ImageSet
from xbench.reports.sheet import _outlined, contact_sheet


@dataclass(frozen=True)
class Plain(Made):
    """Grey images of three classes and two shapes."""

    name = "plain"
    classes = ("ant", "bee", "cat")
    starts: ClassVar = {"test": 0}
    count = 7

    def images(self, ids):
        return [torch.full((3, 20 + 10 * (i % 2), 30), 10 * i, dtype=torch.uint8) for i in ids]


@dataclass(frozen=True)
class Pointed(Plain, PartPoints):
    """The same with two parts, the second of them hidden in most images."""

    name = "pointed"

    def part_names(self):
        return ("head", "foot")

    def part_points(self, ids):
        return torch.tensor([[[5.5, 6.5, 1.0], [9.5, 9.5, float(i == 1)]] for i in ids])


@dataclass(frozen=True)
class Boxed(Plain, ObjectBoxes):
    """The same with a box in every image but the second."""

    name = "boxed"

    def object_boxes(self, ids):
        return torch.tensor([[float("nan") if i == 1 else 5.0, 6, 20, 10] for i in ids])


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_every_class_has_a_caption_and_its_images():
    figure = contact_sheet(ImageSet(Plain(), "test"), per_class=2)
    assert texts(figure) == ["ant", "bee", "cat"]
    assert len(figure.axes[0].images) == 6


def test_fewer_images_than_asked_for_leave_room_empty():
    figure = contact_sheet(ImageSet(Plain(), "test"), per_class=9, classes=2)
    assert texts(figure) == ["ant", "bee"]
    assert len(figure.axes[0].images) == 5


def test_images_keep_their_shape():
    figure = contact_sheet(ImageSet(Plain(), "test"), per_class=1)
    left, right, bottom, top = figure.axes[0].images[0].get_extent()
    assert np.isclose((bottom - top) / (right - left), 20 / 30)


def test_visible_part_points_are_drawn_and_named_once():
    figure = contact_sheet(ImageSet(Pointed(), "test"), per_class=2)
    assert len(figure.axes[0].images) == 7  # one of them the large one with numbers
    # One dot in ant's and cat's row, two in bee's; two more in the large image, which is bee's.
    assert len(figure.axes[0].lines) == 1 + 2 + 1 + 2
    assert texts(figure)[-4:] == ["1", "2", "1  head", "2  foot"]


def test_a_dot_lies_on_its_point():
    figure = contact_sheet(ImageSet(Pointed(), "test"), per_class=1, classes=1)
    left, right, _, top = figure.axes[0].images[0].get_extent()
    x, y = (float(values[0]) for values in figure.axes[0].lines[0].get_data())
    scale = (right - left) / 30
    assert np.isclose(x, left + 5.5 * scale)
    assert np.isclose(y, top + 6.5 * scale)


def test_boxes_are_drawn_where_there_are_any():
    figure = contact_sheet(ImageSet(Boxed(), "test"), per_class=1)
    left, right, _, top = figure.axes[0].images[0].get_extent()
    scale = (right - left) / 30
    box = figure.axes[0].patches[0].get_bbox()
    assert np.allclose([box.x0, box.y0], [left + 5 * scale, top + 6 * scale])
    assert np.allclose([box.width, box.height], [20 * scale, 10 * scale])
    assert len(figure.axes[0].patches) == 2


def test_outlines_run_where_the_label_map_changes():
    pixels, mask = np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.int16)
    mask[:, 2:] = 1
    found = _outlined(pixels, mask)
    assert found.shape == (384, 384, 3)
    assert (found[:, 192] == 255).all()
    assert found.any(axis=(0, 2)).sum() == 1


def test_toybirds_have_masks_points_and_twenty_captions(tmp_path):
    from xbench_toybirds.dataset import Toybirds

    figure = contact_sheet(ImageSet(Toybirds(), "test"), per_class=1)
    assert "grisa-quinta" in texts(figure)
    assert "12  throat" in texts(figure)
    figure.savefig(tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
