"""What parts tell an ideal observer: another question than what they do to a network."""

from collections.abc import Sequence

from jaxtyping import Float64
from torch import Tensor

from xbench import Dataset, IdealObserver, PartMasks, PartPoints, annotated

LEAST = 1e-300
"""Stands for impossible: a likelihood of 0 has no logarithm."""


def evidence(
    dataset: Dataset, ids: Sequence[int], labels: Sequence[int]
) -> Sequence[Float64[Tensor, " parts"] | None]:
    """By how much log P(class | all parts) falls where a part is not looked at, image by image.

    For the class that is explained, and in the order of the masks' names. None where the dataset
    has no ideal observer, or it speaks of other parts.
    """
    names = annotated(dataset, PartMasks).mask_names()
    observed = isinstance(dataset, IdealObserver) and isinstance(dataset, PartPoints)
    if not observed or sorted(annotated(dataset, PartPoints).part_names()) != sorted(names):
        return [None] * len(ids)
    order = [annotated(dataset, PartPoints).part_names().index(name) for name in names]
    falls = part_evidence(annotated(dataset, IdealObserver).part_likelihoods(ids)[:, order])
    return [of_image[:, label] for of_image, label in zip(falls, labels, strict=True)]


def part_evidence(
    likelihoods: Float64[Tensor, "n parts classes"],
) -> Float64[Tensor, "n parts classes"]:
    """By how much the log-posterior of each class falls without each part.

    Classes are equally frequent, and parts independent given the class.
    """
    own = likelihoods.clamp(min=LEAST).log()
    whole = own.sum(1, keepdim=True)
    return whole.log_softmax(2) - (whole - own).log_softmax(2)
