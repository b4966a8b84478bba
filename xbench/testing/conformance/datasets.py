"""What datasets must do; `annotations` has the rules of what else they know."""

from collections.abc import Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from xbench.errors import DatasetError, MismatchError
from xbench.interfaces.data.dataset import Dataset
from xbench.testing.conformance.rules import Beside, Rule, form, is_tensor

_TRIED = 3
"""Images of each split that are looked at."""


def rules(dataset: Dataset, beside: Beside) -> Iterator[Rule]:
    """None where its data is not here: then nothing can be said."""
    if not present(dataset):
        return
    for name, faults in (
        ("classes", _classes),
        ("splits", _splits),
        ("labels", _labels),
        ("images", _images),
        ("repeatable", _repeatable),
        ("fingerprint", _fingerprint),
    ):
        yield Rule(name, partial(faults, dataset))


def present(dataset: Dataset) -> bool:
    """Whether its data is here."""
    try:
        dataset.check()
    except DatasetError:
        return False
    return True


def tried(dataset: Dataset) -> Iterator[list[int]]:
    """Ids of some images of each split."""
    for split in dataset.splits():
        yield list(dataset.ids(split)[:_TRIED])


def _classes(dataset: Dataset) -> Iterator[str]:
    names = dataset.class_names()
    if len(set(names)) != len(names):
        yield "has two classes of one name"
    if not all(isinstance(name, str) and name for name in names):
        yield "has classes whose names are no words"


def _splits(dataset: Dataset) -> Iterator[str]:
    seen: set[int] = set()
    for split in dataset.splits():
        ids = list(dataset.ids(split))
        if not all(isinstance(image, int) for image in ids[:_TRIED]):
            yield f"split {split!r} has ids that are no integers"
        if len(set(ids)) != len(ids):
            yield f"split {split!r} has an image twice"
        if seen.intersection(ids):
            yield f"split {split!r} shares images with another split"
        seen.update(ids)


def _labels(dataset: Dataset) -> Iterator[str]:
    if not dataset.has_labels:
        yield from _unlabelled(dataset)
        return
    classes = len(dataset.class_names())
    for ids in tried(dataset):
        labels = dataset.labels(ids)
        if not is_tensor(labels, (len(ids),), torch.int64):
            yield f"gives as labels of {len(ids)} images {form(labels)}, not int64, one per image"
        elif not ((labels >= 0) & (labels < classes)).all():
            yield f"has labels out of range: {labels.tolist()} of {classes} classes"


def _unlabelled(dataset: Dataset) -> Iterator[str]:
    for ids in tried(dataset):
        try:
            labels = dataset.labels(ids)
        except MismatchError:
            continue
        yield f"is not labelled, and gives as labels {form(labels)}; raise MismatchError"


def _images(dataset: Dataset) -> Iterator[str]:
    for ids in tried(dataset):
        images, sizes = dataset.images(ids), dataset.sizes(ids)
        if not len(images) == len(sizes) == len(ids):
            yield f"gives {len(images)} images and {len(sizes)} sizes for {len(ids)} ids"
            continue
        for image, size in zip(images, sizes, strict=True):
            if not is_tensor(image, (3, -1, -1), torch.uint8):
                yield f"gives as an image {form(image)}, not (3, height, width) and uint8"
            elif tuple(size) != tuple(image.shape[-2:]):
                yield f"says that an image of size {tuple(image.shape[-2:])} has {tuple(size)}"


def _repeatable(dataset: Dataset) -> Iterator[str]:
    for ids in tried(dataset):
        back = list(reversed(ids))
        if not _equal(dataset.images(ids), list(reversed(list(dataset.images(back))))):
            yield "gives other images when ids come in another order"
        if dataset.has_labels and not _equal(dataset.labels(ids), dataset.labels(back).flip(0)):
            yield "gives other labels when ids come in another order"


def _equal(images: Sequence[Tensor] | Tensor, others: Sequence[Tensor] | Tensor) -> bool:
    pairs = zip(images, others, strict=True)
    return all(torch.equal(torch.as_tensor(a), torch.as_tensor(b)) for a, b in pairs)


def _fingerprint(dataset: Dataset) -> Iterator[str]:
    one, other = dataset.fingerprint(), dataset.fingerprint()
    if not isinstance(one, str) or not one:
        yield f"has a fingerprint that is no text: {one!r}"
    if one != other:
        yield "has a fingerprint that changes"
