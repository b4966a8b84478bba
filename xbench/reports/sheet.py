"""Contact sheets: a few images of every class, with the annotations of parts drawn in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int16, UInt8

from xbench.interfaces.data.annotation import ObjectBoxes, PartMasks, PartPoints
from xbench.interfaces.data.dataset import ImageSet
from xbench.reports.style import INK, TINY, WORDS, blank_figure, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELL = 1.15
"""Side of an image on the sheet in inches."""
CAPTION = 0.24
"""Height of a class's caption, as a share of an image's side."""
GAP = 0.06
"""Space between images, as a share of an image's side."""
MARGIN = 0.24
"""Space beside a column of rows, likewise."""
KEY = 2.6
"""Side of the image with numbered points, likewise."""
DOTS = 130
"""Pixels an inch."""
LINES = 8
"""Names of parts that stand under one another."""
FINEST = 384
"""Outlines are drawn on images enlarged to about this side, so that they stay thin."""


def contact_sheet(
    images: ImageSet, *, per_class: int = 6, columns: int = 2, classes: int = 60
) -> "Figure":
    """A matplotlib figure with a captioned row of images for each of the first `classes`.

    Classes stand in `columns` columns. The first image of a row shows what is known of its
    parts: outlines of masks, a dot for each visible part point, and the box around the object.
    One image is repeated below, large, with numbered points and the names of the parts. An image
    of any shape is fitted into a square.
    """
    names = images.dataset.class_names()[:classes]
    class_images = _first_images(images, len(names), per_class)
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    width, height = columns * (per_class + MARGIN), rows * (1 + CAPTION)
    key = KEY if _has_parts(images) and any(class_images) else 0.0
    figure = blank_figure(width * CELL, (height + key + MARGIN) * CELL)
    figure.set_dpi(DOTS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height + key + MARGIN, 0))
    axes.axis("off")
    for label, name in enumerate(names):
        x, y = label // rows * (per_class + MARGIN) + MARGIN / 2, label % rows * (1 + CAPTION)
        write(axes, (x, y + CAPTION * 0.8), name, fontsize=WORDS, weight="bold")
        for k, image in enumerate(class_images[label]):
            _Frame(axes, x + k, y + CAPTION, 1.0).draw(images, image, parts=k == 0)
    if key:
        key_image = _most_visible(images, [image for row in class_images for image in row[:1]])
        _draw_key(_Frame(axes, MARGIN / 2, height + MARGIN / 2, key), images, key_image)
    return figure


def _has_parts(images: ImageSet) -> bool:
    return isinstance(images.dataset, (PartPoints, PartMasks))


def _most_visible(images: ImageSet, candidates: list[int]) -> int:
    if not isinstance(images.dataset, PartPoints):
        return candidates[0]
    visible = images.part_points(candidates)[:, :, 2].sum(1)
    return candidates[int(visible.argmax())]


def _first_images(images: ImageSet, classes: int, count: int) -> list[list[int]]:
    class_images: list[list[int]] = [[] for _ in range(classes)]
    ids = images.ids()
    for image, label in zip(ids, images.dataset.labels(ids).tolist(), strict=True):
        if label < classes and len(class_images[label]) < count:
            class_images[label].append(image)
    return class_images


@dataclass(frozen=True)
class _Frame:
    """A square of the sheet, in its units, into which one image is drawn."""

    axes: "Axes"
    x: float
    y: float
    side: float

    def draw(self, images: ImageSet, image: int, *, parts: bool, numbered: bool = False) -> None:
        """The image, with its parts or without."""
        pixels = images.batch([image]).images[0].permute(1, 2, 0).numpy()
        picture = (pixels * 255).round().astype(np.uint8)
        if parts and isinstance(images.dataset, PartMasks):
            picture = _outlined(picture, images.part_masks([image])[0].numpy())
        scale = self.side * (1 - GAP) / max(pixels.shape[:2])
        right, below = self.x + scale * pixels.shape[1], self.y + scale * pixels.shape[0]
        extent = (self.x, right, below, self.y)
        self.axes.imshow(picture, extent=extent, interpolation="none", aspect="auto")
        if parts and isinstance(images.dataset, PartPoints):
            self._dots(images.part_points([image])[0].numpy(), scale, numbered=numbered)
        if parts and isinstance(images.dataset, ObjectBoxes):
            self._box(images.object_boxes([image])[0].tolist(), scale)

    def _box(self, box: Sequence[float], scale: float) -> None:
        from matplotlib.patches import Rectangle

        x, y, width, height = (scale * value for value in box)
        corner = (self.x + x, self.y + y)
        if not np.isnan(box).any():
            self.axes.add_patch(Rectangle(corner, width, height, fill=False, ec="white", lw=0.9))

    def _dots(self, points: Float[np.ndarray, "parts 3"], scale: float, *, numbered: bool) -> None:
        for part, (x, y, visible) in enumerate(points.tolist()):
            if not visible:
                continue
            place = (self.x + scale * x, self.y + scale * y)
            size = 11 if numbered else 3.2
            self.axes.plot(*place, "o", ms=size, color="white", mec=INK, mew=0.6)
            if numbered:
                number = str(part + 1)
                write(self.axes, place, number, fontsize=TINY, ha="center", va="center_baseline")


def _draw_key(frame: _Frame, images: ImageSet, image: int) -> None:
    frame.draw(images, image, parts=True, numbered=True)
    dataset = images.dataset
    if not isinstance(dataset, PartPoints):
        return
    for k, name in enumerate(dataset.part_names()):
        column, row = divmod(k, LINES)
        place = (frame.x + frame.side + 1.2 * column, frame.y + (row + 0.7) * frame.side / LINES)
        write(frame.axes, place, f"{k + 1}  {name}", fontsize=WORDS)


def _outlined(
    pixels: UInt8[np.ndarray, "h w 3"], mask: Int16[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h2 w2 3"]:
    """The image, enlarged by a whole number, with a white line where the label map changes."""
    times = max(1, FINEST // max(mask.shape))
    large = mask.repeat(times, 0).repeat(times, 1)
    edge = np.zeros(large.shape, dtype=bool)
    edge[1:] |= large[1:] != large[:-1]
    edge[:, 1:] |= large[:, 1:] != large[:, :-1]
    return np.where(edge[:, :, None], np.uint8(255), pixels.repeat(times, 0).repeat(times, 1))
