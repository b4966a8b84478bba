"""Folds: parts of a split, each held out in its turn while the others are trained on."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

import torch

from xbench.errors import ParameterError
from xbench.interfaces.artefact import Artefact, Artefacts
from xbench.interfaces.component import Tree
from xbench.interfaces.data.dataset import ImageSet, Part
from xbench.interfaces.recipe import Recipe
from xbench.interfaces.workplace import Workplace
from xbench.randomness import derived_seed


@dataclass(frozen=True)
class Folds:
    """A split's images in `count` folds, balanced by class; a function of ids, labels and seed.

    Every image is held out in exactly one fold. In each fold there are as many images of a class
    as in any other, or one more, and so it is with images of all classes together. A class with
    fewer images than there are folds is held out in some of them only.
    """

    images: ImageSet
    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the number of folds."""
        if self.count < 2:
            raise ParameterError(f"folds: {self.count} is too few; at least 2 are needed")

    def assignment(self) -> Mapping[int, int]:
        """The fold in which each image is held out, by id."""
        return _assignment(self)

    def training(self, fold: int) -> ImageSet:
        """The images of all folds but this one."""
        return self._part(fold, held_out=False)

    def held_out(self, fold: int) -> ImageSet:
        """The images of this fold."""
        return self._part(fold, held_out=True)

    def tree(self) -> Tree:
        """The images and how they are parted."""
        return {"images": self.images.tree(), "count": self.count, "seed": self.seed}

    def _part(self, fold: int, *, held_out: bool) -> ImageSet:
        if not 0 <= fold < self.count:
            raise ParameterError(f"fold {fold} is none of {self.count}: they begin with 0")
        return replace(self.images, part=FoldPart(self, fold, held_out))


@dataclass(frozen=True)
class FoldPart(Part):
    """One fold, or all the others."""

    folds: Folds
    fold: int
    held_out: bool

    def ids(self) -> tuple[int, ...]:
        """Ids in the order that they have in the split."""
        chosen = self.folds.assignment().items()
        return tuple(image for image, fold in chosen if (fold == self.fold) == self.held_out)

    def tree(self) -> Tree:
        """Which fold of how many, drawn with which seed; and what was parted, if it is a part."""
        outer, folds = self.folds.images.part, self.folds
        return {
            "fold": self.fold,
            "held_out": self.held_out,
            "count": folds.count,
            "seed": folds.seed,
            "of": outer and outer.tree(),
        }


@dataclass(frozen=True)
class StoredFolds(Recipe):
    """The assignment of images to folds, kept so that records can point at it."""

    kind: ClassVar[str] = "folds"

    folds: Folds

    def build(self, needs: Artefacts, workplace: Workplace) -> Artefact:
        """Tensors `ids` and `folds`: each image, and the fold in which it is held out."""
        assignment = self.folds.assignment()
        folds = torch.tensor(list(assignment.values()), dtype=torch.int64)
        tensors = {"ids": torch.tensor(list(assignment), dtype=torch.int64), "folds": folds}
        sizes = torch.bincount(folds, minlength=self.folds.count).tolist()
        return Artefact(self.key, tensors, {"sizes": sizes, "seed": self.folds.seed})


def balanced_folds(labels: Mapping[int, int], count: int, seed: int) -> dict[int, int]:
    """The fold of each image, from labels by id: dealt class by class, in a drawn order.

    The order is that of hashes of seed and id, so it is the same everywhere, and other images
    have no part in it.
    """
    classes: dict[int, list[int]] = defaultdict(list)
    for image, label in labels.items():
        classes[label].append(image)
    drawn = [image for label in sorted(classes) for image in _drawn(classes[label], seed)]
    folds = {image: place % count for place, image in enumerate(drawn)}
    return {image: folds[image] for image in labels}


def _drawn(images: Iterable[int], seed: int) -> list[int]:
    return sorted(images, key=lambda image: (derived_seed("fold", seed, image), image))


@functools.lru_cache(maxsize=16)
def _assignment(folds: Folds) -> Mapping[int, int]:
    images = folds.images
    ids = images.ids()
    if len(ids) < folds.count:
        raise ParameterError(
            f"folds: split {images.split!r} of dataset {images.dataset.name!r} has {len(ids)} "
            f"images, which is too few for {folds.count} folds"
        )
    labels = dict(zip(ids, images.dataset.labels(ids).tolist(), strict=True))
    return MappingProxyType(balanced_folds(labels, folds.count, folds.seed))
