"""Low-level concepts from any images: the same pictures with a quality and without it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from xbench import (
    Concept,
    ConceptExamples,
    ConceptExamplesPair,
    DatasetError,
    DerivedDataset,
    Transform,
    UnknownNameError,
    derived_seed,
    fingerprint,
)
from xbench_ces.banks.concept_images import pixels
from xbench_ces.kernels import appearance

FAMILY = "image qualities"
MAKING = 2
"""Raised with every change that alters an image of a concept."""
LEAK = 0.2
"""The share of other channels that passes a colour filter."""
GAIN = 1.5
"""What all channels are multiplied by behind it, so that the picture is not much darker."""
SEEDS = 1 << 63
"""Derived seeds lie below it."""

Change: TypeAlias = Callable[[Float[Tensor, "n 3 h w"], Generator], Float[Tensor, "n 3 h w"]]


class Quality(NamedTuple):
    """How a picture that has the quality is made, and how the one that has not."""

    positive: Change
    negative: Change


def _identity(images: Tensor, generator: Generator) -> Tensor:
    return images


def _deterministic(change: Callable[..., Tensor], *values: object) -> Change:
    def deterministic(images: Tensor, generator: Generator) -> Tensor:
        return change(images, *values)

    return deterministic


def _noise(images: Tensor, generator: Generator) -> Tensor:
    return appearance.noisy(images, torch.randn(images.shape, generator=generator), 0.15)


def _dots(images: Tensor, generator: Generator) -> Tensor:
    height, width = images.shape[-2:]
    return appearance.patterned(images, appearance.dots(height, width, _period(height)), 0.6)


def _stripes(direction: appearance.Direction) -> Change:
    def change(images: Tensor, generator: Generator) -> Tensor:
        height, width = images.shape[-2:]
        pattern = appearance.stripes(height, width, _period(height), direction)
        return appearance.patterned(images, pattern, 0.6)

    return change


def _period(height: int) -> int:
    """Of patterns: an eighth of the image."""
    return max(2, height // 8)


def _blur(images: Tensor, generator: Generator) -> Tensor:
    return appearance.gaussian_blur(images, 0.018 * min(images.shape[-2:]))


def _pixelation(images: Tensor, generator: Generator) -> Tensor:
    return appearance.pixelated(images, max(2, min(images.shape[-2:]) // 28))


_GREY = _deterministic(appearance.luma)


def _colour(*passing: int) -> Quality:
    """Seen through a filter for some of red, green and blue, against the same picture in grey."""
    factors = tuple(1.0 if channel in passing else LEAK for channel in range(3))
    return Quality(
        _deterministic(appearance.coloured, tuple(GAIN * part for part in factors)), _GREY
    )


def _addition(change: Change) -> Quality:
    return Quality(change, _identity)


def _removal(change: Change) -> Quality:
    return Quality(_identity, change)


COLOURS: Mapping[str, Quality] = {
    "redness": _colour(0),
    "yellowness": _colour(0, 1),
    "greenness": _colour(1),
    "blueness": _colour(2),
}
QUALITIES: Mapping[str, Quality] = {
    **COLOURS,
    "greyness": _addition(_GREY),
    "colourfulness": _removal(_GREY),
    "blur": _addition(_blur),
    "sharpness": _removal(_blur),
    "darkness": _addition(_deterministic(appearance.exposed, 0.35)),
    "brightness": _addition(_deterministic(appearance.exposed, 1.7)),
    "contrast": _addition(_deterministic(appearance.contrasted, 2.0)),
    "faintness": _addition(_deterministic(appearance.contrasted, 0.35)),
    "haze": _addition(_deterministic(appearance.hazy, 0.6, 0.85)),
    "noise": _addition(_noise),
    "pixelation": _addition(_pixelation),
    "horizontal stripes": _addition(_stripes("rows")),
    "vertical stripes": _addition(_stripes("columns")),
    "checks": _addition(_stripes("both")),
    "dots": _addition(_dots),
}
"""The concepts, in order. Colours are greyscale pictures seen through a filter of the colour,
against the same greyscale pictures; all others are pictures against the same pictures changed."""


@dataclass(frozen=True)
class ImageQualities(DerivedDataset, ConceptExamples):
    """Another dataset, some of whose images are set apart to make low-level concepts from.

    These are in none of its splits, so what is explained or trained on shows no concept.
    Whether an image is set apart depends on nothing but `share`, `seed` and its id; images
    of the classes in `keep` never are. Class names, labels, ids and images are those of `of`.
    """

    name: ClassVar[str] = "image-qualities"

    share: float = 0.5
    """Of the images of `of`, of all its splits, that are set apart."""
    keep: tuple[str, ...] = ()
    """Names of classes all of whose images stay in their splits."""
    qualities: tuple[str, ...] = ()
    """Which qualities are concepts; () for all."""
    size: int = 224
    """Side of the square pictures of concepts: the short side becomes it, the middle is cut out."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse shares, sizes and qualities that cannot be."""
        if not 0 < self.share < 1:
            raise ValueError(f"share is {self.share}; it must lie between 0 and 1")
        if self.size < 2:
            raise ValueError(f"size is {self.size}; it must be at least 2")
        for name in self.qualities:
            if name not in QUALITIES:
                raise UnknownNameError("image quality", name, QUALITIES)

    def check(self) -> None:
        """Raise what `of` raises, and `UnknownNameError` for a class to keep that it has not."""
        self.of.check()
        class_names = self.of.class_names()
        for name in self.keep:
            if name not in class_names:
                raise UnknownNameError(f"class of dataset {self.of.name}", name, class_names)
        self._pool()

    def fingerprint(self) -> str:
        """A hash of that of `of`, the fields, and how pictures are made."""
        parameters = {name: getattr(self, name) for name in ("share", "keep", "qualities", "size")}
        making = {"making": MAKING, "seed": self.seed, **parameters}
        return fingerprint({"of": self.of.fingerprint(), **making})

    def ids(self, split: str) -> Sequence[int]:
        """Those of `of` that are not set apart."""
        ids = list(self.of.ids(split))
        pairs = zip(ids, self._in_pool(ids), strict=True)
        return [image for image, in_pool in pairs if not in_pool]

    def concepts(self) -> tuple[Concept, ...]:
        """The qualities, all of one family."""
        return tuple(Concept(name, FAMILY) for name in self.qualities or QUALITIES)

    def concept_examples(self, name: str, count: int, generator: Generator) -> ConceptExamplesPair:
        """Up to `count` of the images set apart with the quality, and the same ones without."""
        if name not in (self.qualities or QUALITIES):
            raise UnknownNameError("image quality", name, self.qualities or QUALITIES)
        pool = self._pool()
        places = torch.randperm(len(pool), generator=generator)[:count].tolist()
        square = Transform(self.size, self.size)
        photos = self.of.images([pool[place] for place in places])
        images = torch.stack([square.image(photo) for photo in photos])
        positive, negative = (change(images, generator) for change in QUALITIES[name])
        return ConceptExamplesPair(pixels(positive), pixels(negative))

    def _pool(self) -> list[int]:
        """Ids of all images that are in no split. `DatasetError` where there are none."""
        ids = [image for split in self.of.splits() for image in self.of.ids(split)]
        pool = [image for image, in_pool in zip(ids, self._in_pool(ids), strict=True) if in_pool]
        if not pool:
            message = f"dataset {self.name!r}: none of the {len(ids)} images of {self.of.name!r} "
            raise DatasetError(f"{message}is set apart; raise `share`, or keep fewer classes")
        return pool

    def _in_pool(self, ids: Sequence[int]) -> list[bool]:
        limit = self.share * SEEDS
        candidates = [derived_seed("set apart", self.seed, image) < limit for image in ids]
        if not self.keep:
            return candidates
        names = self.of.class_names()
        kept_labels = {names.index(name) for name in self.keep if name in names}
        labels = self.of.labels(ids).tolist()
        return [
            candidate and label not in kept_labels
            for candidate, label in zip(candidates, labels, strict=True)
        ]
