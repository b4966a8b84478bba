"""What two classes share, for pictures: places in images and words for attributes."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from xbench.annotation import ClassAttributes, PartAttribute, PartPoints
from xbench.dataset import Dataset, ImageSet
from xbench_deliberative.ground_truth import AmbiguousParts, annotated_parts

SMOOTHING, SHARE = 1.0, 0.2
"""As the protocol has them by default."""


class SharedPart(NamedTuple):
    """A part that two classes share, and the attribute values they have in common."""

    place: int
    """Index among the dataset's parts."""
    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class SharedParts:
    """Answers which parts two classes of a dataset share."""

    names: tuple[str, ...]
    attributes: tuple[PartAttribute, ...]
    table: Tensor

    @classmethod
    def of(cls, dataset: Dataset) -> "SharedParts | None":
        """The shared parts of a dataset's classes; None where attributes are not annotated."""
        if not isinstance(dataset, ClassAttributes):
            return None
        table = AmbiguousParts(dataset, "paper", SMOOTHING, SHARE).triplets().kept
        return cls(annotated_parts(dataset), dataset.class_attributes(), table)

    def between(self, a: int, b: int) -> list[SharedPart]:
        """The shared parts of two classes, in the order of the parts."""
        indices = self.table[:, a, b].nonzero()[:, 0].tolist()
        return [SharedPart(i, self.names[i], self._values(i, a, b)) for i in indices]

    def _values(self, part: int, a: int, b: int) -> tuple[str, ...]:
        """The value of each of the part's attributes that both classes show most often."""
        return tuple(
            attribute.values[int(torch.minimum(*attribute.frequencies[[a, b]]).argmax())]
            for attribute in self.attributes
            if attribute.part == part
        )


def visible_points(
    images: ImageSet | None, image: int, parts: list[SharedPart]
) -> dict[int, tuple[float, float]]:
    """X and y of these parts in an image, as far as they are annotated and visible."""
    if images is None or not isinstance(images.dataset, PartPoints):
        return {}
    points = images.part_points([image])[0].tolist()
    places = {part.place: points[part.place] for part in parts}
    return {index: (x, y) for index, (x, y, visible) in places.items() if visible > 0}


def example_of(images: ImageSet, label: int, besides: int | None) -> int | None:
    """The first image of a class, but not the one that is explained."""
    ids = images.ids()
    found = (images.dataset.labels(ids) == label).nonzero()[:, 0].tolist()
    return next((ids[place] for place in found if ids[place] != besides), None)
