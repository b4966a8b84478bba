"""Images with and without a concept, checked, and what a network makes of them."""

import hashlib
import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Generator, Tensor

from xbench import (
    Concept,
    ConceptExamples,
    Dataset,
    DatasetError,
    MismatchError,
    Network,
    NumericalError,
    Transform,
    annotated,
)
from xbench_ces.banks.bank import shape_text

LEAST = 10
"""Images of either kind without which nothing can be learned."""
THUMBNAIL = Transform(resize=48, crop=48)


class ConceptOrigin(NamedTuple):
    """A concept, and the dataset that has images of it."""

    concept: Concept
    source: Dataset

    def __str__(self) -> str:
        return f"concept {self.concept.name!r} of dataset {self.source.name!r}"


def concept_origins(sources: Sequence[Dataset]) -> tuple[ConceptOrigin, ...]:
    """All concepts of the datasets. `DatasetError` where two have one of the same name."""
    origins: dict[str, ConceptOrigin] = {}
    for source in sources:
        for concept in annotated(source, ConceptExamples).concepts():
            origin = ConceptOrigin(concept, source)
            if concept.name in origins:
                message = f"{origin} has the name of a concept of dataset "
                message += f"{origins[concept.name].source.name!r}; rename one of them, or "
                raise DatasetError(f"{message}leave one of the datasets out")
            origins[concept.name] = origin
    if not origins:
        names = ", ".join(repr(source.name) for source in sources)
        raise DatasetError(f"there is no concept in {names or 'no dataset'}")
    return tuple(origins.values())


class ConceptImages(NamedTuple):
    """As many images with a concept as without, and hashes of their pixels."""

    origin: ConceptOrigin
    positive: UInt8[Tensor, "n 3 h w"]
    negative: UInt8[Tensor, "n 3 h w"]
    hashes: tuple[str, str]
    """Of all positive and of all negative images."""

    def labels(self) -> Bool[Tensor, " 2*n"]:
        """True for the positive ones, which come first."""
        return torch.arange(2 * len(self.positive)) < len(self.positive)

    def picture(self) -> UInt8[Tensor, "3 48 48"]:
        """The middle of the first positive image, small."""
        return pixels(THUMBNAIL.image(self.positive[0]))


def pixels(images: Float[Tensor, "*n 3 h w"]) -> UInt8[Tensor, "*n 3 h w"]:
    """Images in [0, 1] as bytes, each value rounded to the nearest."""
    return (images * 255).round().byte()


def concept_images(origin: ConceptOrigin, count: int, generator: Generator) -> ConceptImages:
    """Up to `count` images of each kind, as many of one as of the other.

    So guessing is right for half of them, and an accuracy means the same for every concept.
    `DatasetError` for fewer than 10, and where both kinds are the same images.
    """
    pair = annotated(origin.source, ConceptExamples).concept_examples(
        origin.concept.name, count, generator
    )
    for images, word in ((pair.positive, "with"), (pair.negative, "without")):
        if len(images) < LEAST:
            message = f"{origin} has {len(images)} images {word} the concept; at least {LEAST} of "
            raise DatasetError(f"{message}either kind are needed")
    size = min(len(pair.positive), len(pair.negative), count)
    kinds = [pair.positive[:size], pair.negative[:size]]
    hashes = [[_hash(image) for image in kind] for kind in kinds]
    if set(hashes[0]) == set(hashes[1]):
        message = f"{origin} has the same images with and without the concept"
        raise DatasetError(f"{message}; its negative images should be others")
    digests = [hashlib.sha256(" ".join(kind).encode()).hexdigest()[:32] for kind in hashes]
    return ConceptImages(origin, kinds[0], kinds[1], (digests[0], digests[1]))


def _hash(image: UInt8[Tensor, "3 h w"]) -> str:
    return hashlib.sha256(image.contiguous().numpy().tobytes()).hexdigest()[:32]


def features(
    network: Network,
    images: ConceptImages,
    transform: Transform,
    shape: tuple[int, ...],
    batch_size: int,
) -> Float[Tensor, "n m"]:
    """The activations of the positive images, then of the negative ones, flat, on the CPU.

    `MismatchError` where they have not this shape or are all the same, `NumericalError` where
    they are no numbers.
    """
    photos = [*images.positive, *images.negative]
    vectors = torch.empty(len(photos), math.prod(shape))
    for start in range(0, len(photos), batch_size):
        chunk = torch.stack([transform.image(p) for p in photos[start : start + batch_size]])
        activations = network.activations(chunk.to(network.device))
        if activations.shape[1:] != shape:
            raise _shape_mismatch(network, images.origin, activations.shape[1:], shape)
        vectors[start : start + batch_size] = activations.flatten(1)
    _check(network, images.origin, vectors)
    return vectors


def _check(network: Network, origin: ConceptOrigin, vectors: Tensor) -> None:
    if not torch.isfinite(vectors).all():
        message = f"{network.name} gives activations that are NaN or infinite at layer "
        raise NumericalError(f"{message}{network.layer!r} for {origin}; check its weights")
    if (vectors == vectors[0]).all():
        message = f"{network.name} gives the same activations at layer {network.layer!r} for all "
        message += f"images of {origin}: there is no direction to learn. Learn it at another "
        raise MismatchError(f"{message}layer, or with other weights")


def _shape_mismatch(
    network: Network, origin: ConceptOrigin, shape: Sequence[int], usual: Sequence[int]
) -> MismatchError:
    message = f"images of {origin} give activations of shape {shape_text(shape)} at layer "
    message += f"{network.layer!r}, and the images that {network.name} is trained on "
    message += f"{shape_text(usual)}; give both one size, such as with -p transform.resize= and "
    return MismatchError(f"{message}-p transform.crop=")
