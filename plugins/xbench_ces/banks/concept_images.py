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
from xbench_ces.banks.bank import by

LEAST = 10
"""Images of either kind without which nothing can be learned."""
THUMBNAIL = Transform(resize=48, crop=48)


class Listed(NamedTuple):
    """A concept, and the dataset that has images of it."""

    concept: Concept
    source: Dataset

    def __str__(self) -> str:
        return f"concept {self.concept.name!r} of dataset {self.source.name!r}"


def listed(sources: Sequence[Dataset]) -> tuple[Listed, ...]:
    """All concepts of the datasets. `DatasetError` where two have one of the same name."""
    found: dict[str, Listed] = {}
    for source in sources:
        for concept in annotated(source, ConceptExamples).concepts():
            one = Listed(concept, source)
            if concept.name in found:
                message = f"{one} has the name of a concept of dataset "
                message += f"{found[concept.name].source.name!r}; rename one of them, or leave one "
                raise DatasetError(f"{message}of the datasets out")
            found[concept.name] = one
    if not found:
        names = ", ".join(repr(source.name) for source in sources)
        raise DatasetError(f"there is no concept in {names or 'no dataset'}")
    return tuple(found.values())


class ConceptImages(NamedTuple):
    """As many images with a concept as without, and hashes of their pixels."""

    of: Listed
    positive: UInt8[Tensor, "n 3 h w"]
    negative: UInt8[Tensor, "n 3 h w"]
    hashes: tuple[str, str]
    """Of all positive and of all negative images."""

    def labels(self) -> Bool[Tensor, " 2*n"]:
        """True for the positive ones, which come first."""
        return torch.arange(2 * len(self.positive)) < len(self.positive)

    def picture(self) -> UInt8[Tensor, "3 48 48"]:
        """The middle of the first positive image, small."""
        return (THUMBNAIL.image(self.positive[0]) * 255).round().byte()


def drawn(of: Listed, count: int, generator: Generator) -> ConceptImages:
    """Up to `count` images of each kind, as many of one as of the other.

    So guessing is right for half of them, and an accuracy means the same for every concept.
    `DatasetError` for fewer than 10, and where both kinds are the same images.
    """
    pair = annotated(of.source, ConceptExamples).concept_examples(of.concept.name, count, generator)
    for images, what in ((pair.positive, "with"), (pair.negative, "without")):
        if len(images) < LEAST:
            message = f"{of} has {len(images)} images {what} the concept; at least {LEAST} of "
            raise DatasetError(f"{message}either kind are needed")
    number = min(len(pair.positive), len(pair.negative), count)
    kinds = [pair.positive[:number], pair.negative[:number]]
    hashes = [[_hash(image) for image in kind] for kind in kinds]
    if set(hashes[0]) == set(hashes[1]):
        message = f"{of} has the same images with and without the concept"
        raise DatasetError(f"{message}; its negative images should be others")
    whole = [hashlib.sha256(" ".join(kind).encode()).hexdigest()[:32] for kind in hashes]
    return ConceptImages(of, kinds[0], kinds[1], (whole[0], whole[1]))


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
    both = [*images.positive, *images.negative]
    found = torch.empty(len(both), math.prod(shape))
    for start in range(0, len(both), batch_size):
        some = torch.stack([transform.image(image) for image in both[start : start + batch_size]])
        made = network.activations(some.to(network.device))
        if made.shape[1:] != shape:
            raise _misshapen(network, images.of, made.shape[1:], shape)
        found[start : start + batch_size] = made.flatten(1)
    _check(network, images.of, found)
    return found


def _check(network: Network, of: Listed, found: Tensor) -> None:
    if not torch.isfinite(found).all():
        message = f"{network.name} gives activations that are NaN or infinite at layer "
        raise NumericalError(f"{message}{network.layer!r} for {of}; check its weights")
    if (found == found[0]).all():
        message = f"{network.name} gives the same activations at layer {network.layer!r} for all "
        message += f"images of {of}: there is no direction to learn. Learn it at another layer, or "
        raise MismatchError(f"{message}with other weights")


def _misshapen(
    network: Network, of: Listed, shape: Sequence[int], usual: Sequence[int]
) -> MismatchError:
    message = f"images of {of} give activations of shape {by(shape)} at layer {network.layer!r}, "
    message += f"and the images that {network.name} is trained on {by(usual)}; give both one size, "
    return MismatchError(f"{message}such as with -p transform.resize= and -p transform.crop=")
