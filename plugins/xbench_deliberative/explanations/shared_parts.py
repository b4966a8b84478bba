"""What two classes share, for pictures: places in images and words for attributes."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor

from xbench import ClassAttributes, Dataset, ImageSet, PartAttribute, PartMasks, PartPoints
from xbench_deliberative.kernels.sparse_triplets import (
    SparseTriplets,
    parts_of_pairs,
    strongest_occurrences,
)
from xbench_deliberative.protocol.ground_truth import AmbiguousParts, annotated_parts, occurrences

SMOOTHING, SHARE = 1.0, 0.2
"""As the protocol has them by default."""
OFTEN, SPARSE_SHARE = 0.3, 0.01
"""As the paper has them for parts of which it is only known how often they are present."""


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
    table: Bool[Tensor, "parts classes classes"] | SparseTriplets

    @classmethod
    def of(cls, dataset: Dataset) -> "SharedParts | None":
        """The shared parts of a dataset's classes; None where attributes are not annotated."""
        if not isinstance(dataset, ClassAttributes):
            return None
        names, attributes = annotated_parts(dataset), dataset.class_attributes()
        if all(len(attribute.values) == 1 for attribute in attributes):
            sparse = strongest_occurrences(occurrences(dataset), OFTEN, SPARSE_SHARE)
            return cls(names, attributes, sparse)
        return cls(
            names, attributes, AmbiguousParts(dataset, "paper", SMOOTHING, SHARE).triplets().kept
        )

    def between(self, a: int, b: int) -> list[SharedPart]:
        """The shared parts of two classes, in the order of the parts."""
        indices = self._shared(a, b).nonzero()[:, 0].tolist()
        return [SharedPart(i, self.names[i], self._values(i, a, b)) for i in indices]

    def _shared(self, a: int, b: int) -> Bool[Tensor, " parts"]:
        if not isinstance(self.table, SparseTriplets):
            return self.table[:, a, b]
        classes = len(self.attributes[0].frequencies)
        triplets = self.table.pairs, self.table.parts
        return parts_of_pairs(torch.tensor([[a, b]]), *triplets, classes, len(self.names))[0]

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
    if images is not None and isinstance(images.dataset, PartPoints):
        points = images.part_points([image])[0].tolist()
        places = {part.place: points[part.place] for part in parts}
        return {index: (x, y) for index, (x, y, visible) in places.items() if visible > 0}
    if images is not None and isinstance(images.dataset, PartMasks):
        mask = images.part_masks([image])[0]
        return {
            part.place: inner_point(mask == part.place)
            for part in parts
            if (mask == part.place).any()
        }
    return {}


def inner_point(shown: Bool[Tensor, "h w"]) -> tuple[float, float]:
    """The middle of the pixel that shows a part and is nearest to the middle of all that do."""
    pixels = shown.nonzero().double()
    y, x = pixels[(pixels - pixels.mean(0)).square().sum(1).argmin()].tolist()
    return x + 0.5, y + 0.5


def example_of(images: ImageSet, label: int, besides: int | None) -> int | None:
    """The first image of a class, but not the one that is explained."""
    ids = images.ids()
    places = (images.dataset.labels(ids) == label).nonzero()[:, 0].tolist()
    return next((ids[place] for place in places if ids[place] != besides), None)
