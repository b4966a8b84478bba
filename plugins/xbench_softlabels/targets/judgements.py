"""Judgements: how many people chose each class for each image of an image set."""

import functools
from types import MappingProxyType

import torch
from jaxtyping import Int64
from torch import Tensor

from xbench import Dataset, HumanLabels, ImageSet, MismatchError


def judgements(images: ImageSet, loss: str) -> Int64[Tensor, "n classes"]:
    """How many people chose each class, in the order of the set's ids; to be read, not written.

    They are those of the set's own dataset. `MismatchError` where it has no human labels, where
    they are of another number of classes, and where nobody labelled an image.
    """
    dataset = images.dataset
    if not isinstance(dataset, HumanLabels):
        raise MismatchError(
            f"loss {loss!r} needs human labels, and dataset {dataset.name!r} has none; give one "
            "that has, such as cifar10h or toybirds, whose annotators are simulated"
        )
    return _judgements(images, loss, dataset.fingerprint())


def set_places(images: ImageSet) -> MappingProxyType[int, int]:
    """Where each image of the set stands among its ids."""
    return _places(images, images.dataset.fingerprint())


@functools.lru_cache(maxsize=16)
def _judgements(images: ImageSet, loss: str, fingerprint: str) -> Int64[Tensor, "n classes"]:
    """Of a part those of its split are taken: counts may be costly, and folds are many."""
    dataset, split = images.dataset, images.split
    counts = _split_counts(dataset, split, fingerprint)
    what = f"loss {loss!r}: human labels of dataset {dataset.name!r}, split {split!r},"
    classes = len(dataset.class_names())
    if counts.ndim != 2 or counts.shape[1] != classes:
        form = " × ".join(map(str, counts.shape))
        raise MismatchError(f"{what} are {form} counts, but there are {classes} classes")
    if images.part is not None:
        own = {image: place for place, image in enumerate(dataset.ids(split))}
        counts = counts[[own[image] for image in images.ids()]]
    _refuse_unjudged(counts, images, what)
    return counts


@functools.lru_cache(maxsize=4)
def _split_counts(dataset: Dataset, split: str, fingerprint: str) -> Int64[Tensor, "n classes"]:
    counts: Tensor = dataset.label_counts(dataset.ids(split))  # type: ignore[attr-defined]
    return counts.long()


@functools.lru_cache(maxsize=16)
def _places(images: ImageSet, fingerprint: str) -> MappingProxyType[int, int]:
    return MappingProxyType({image: place for place, image in enumerate(images.ids())})


def _refuse_unjudged(counts: Int64[Tensor, "n classes"], images: ImageSet, what: str) -> None:
    wrong = torch.nonzero((counts < 0).any(dim=1) | (counts.sum(dim=1) == 0)).flatten()
    if len(wrong):
        image, row = images.ids()[int(wrong[0])], counts[wrong[0]].tolist()
        reason = "nobody labelled" if not any(row) else "negative counts for"
        raise MismatchError(
            f"{what}: {reason} image {image}, the first of {len(wrong)} such; train on images that "
            "somebody labelled, or correct the counts"
        )
