"""The labels of people that a set of images has, checked before anything is trained."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int64

from xbench import (
    AnnotatorLabels,
    DatasetError,
    HumanLabels,
    IdealObserver,
    ImageSet,
    MismatchError,
    annotated,
)

ENOUGH = 30
"""Images from which on their agreement tells whether they have the order of the labels."""
ORDERS = (
    "images and labels are in different orders, or classes are; of CIFAR-10's test "
    "images TensorFlow's data set has another order than the official files, PyTorch's and "
    "CIFAR10H's"
)


class People(NamedTuple):
    """What is known of images, apart from networks."""

    labels: Int64[np.ndarray, " n"]
    counts: Int64[np.ndarray, "n classes"]
    """How many annotators chose each class."""
    simulated: bool
    ideal: Float64[np.ndarray, "n classes"] | None = None
    """What an ideal observer says of each image, where there is one."""
    given: AnnotatorLabels | None = None
    """The labels one by one, where it is known who gave which."""


def people(images: ImageSet, ids: Sequence[int]) -> People:
    """The hard labels of these images and the counts of their annotators' labels."""
    dataset = annotated(images.dataset, HumanLabels)
    counts = dataset.label_counts(ids).numpy().astype(np.int64)
    ideal = None
    if isinstance(images.dataset, IdealObserver):
        ideal = images.dataset.class_posterior(ids).numpy()
    labels, given = images.dataset.labels(ids).numpy(), dataset.annotator_labels(ids)
    return People(labels, counts, dataset.simulated, ideal, given)


def check_people(images: ImageSet) -> None:
    """`DatasetError` for labels that cannot be those of the set's images.

    Somebody has to have labelled each of them, and most of them have to be what most annotators
    say: of images in another order hardly more are than by chance.
    """
    ids = images.ids()
    labels, counts, *_ = people(images, ids)
    what = f"dataset {images.dataset.name!r}, split {images.split!r}"
    classes = len(images.dataset.class_names())
    if counts.shape != (len(ids), classes) or (counts < 0).any():
        raise DatasetError(
            f"{what}: label counts are {' × '.join(map(str, counts.shape))}; they have to be "
            f"numbers from 0 on for {len(ids)} images and {classes} classes"
        )
    empty = np.flatnonzero(~counts.any(1))
    if len(empty):
        raise DatasetError(
            f"{what}: nobody labelled image {ids[empty[0]]}, the first of {len(empty)} without a "
            "label; leave such images out of the split, or mend the counts"
        )
    _check_order(labels, counts, what)


def _check_order(
    labels: Int64[np.ndarray, " n"], counts: Int64[np.ndarray, "n classes"], what: str
) -> None:
    agreement = _agreement(labels, counts.argmax(1), counts.shape[1])
    if agreement.doubtful:
        raise DatasetError(
            f"{what}: most annotators chose the label of only {agreement.share:.1%} of the images, "
            f"where chance gives {agreement.chance:.1%}; {ORDERS}"
        )


def check_order(
    labels: Int64[np.ndarray, " n"], predicted: Int64[np.ndarray, " n"], classes: int
) -> None:
    """`MismatchError` for predictions that are as often right as those of other images."""
    agreement = _agreement(labels, predicted, classes)
    if agreement.doubtful:
        raise MismatchError(
            f"predictions are the label of only {agreement.share:.1%} of the images, where chance "
            f"gives {agreement.chance:.1%}; {ORDERS}. Predictions have the order of the split; "
            "an array ids or labels in the file says whose they are"
        )


class Agreement(NamedTuple):
    """How often classes are the labels, and how often they would be in any order."""

    share: float
    chance: float
    images: int

    @property
    def doubtful(self) -> bool:
        """Whether there are enough images, and the share is hardly above chance."""
        least = min(2 * self.chance, (1 + self.chance) / 2)
        return self.images >= ENOUGH and self.share < least


def _agreement(
    labels: Int64[np.ndarray, " n"], others: Int64[np.ndarray, " n"], classes: int
) -> Agreement:
    share = float((others == labels).mean()) if len(labels) else 1.0
    sums = [np.bincount(of, minlength=classes) / max(len(labels), 1) for of in (labels, others)]
    return Agreement(share, float((sums[0] * sums[1]).sum()), len(labels))


def check_classes(images: ImageSet, trained: ImageSet) -> None:
    """`MismatchError` where networks are trained for other classes, or in another order."""
    own, others = images.dataset.class_names(), trained.dataset.class_names()
    if own != others:
        raise MismatchError(
            f"dataset {images.dataset.name!r} has labels of people for {', '.join(own[:5])}, … and "
            f"networks are trained for {', '.join(others[:5])}, … of {trained.dataset.name!r}; "
            "both have to have the same classes in the same order"
        )
