"""Target sensitivity: do maps of two other classes speak of the parts shared with each of them."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float32, Float64, Int64
from torch import Tensor

from xbench import ClassAttributes, Dataset, Explainer, PartMasks, PartPoints, annotated
from xbench_saliency.kernels.parts import widened_sums
from xbench_saliency.maps.saliency_map import SaliencyMap
from xbench_saliency.part_deletion.interventions import ChangedImages
from xbench_saliency.part_deletion.seen import Seen, map_of


class SharedParts(NamedTuple):
    """Two other classes, and the parts that each of them, but not the other, shares with a class.

    FunnyBirds takes two that share two parts each, and none of them both. Here they are the pair
    that shares most: the smaller of both numbers of parts is as large as it can be.
    """

    classes: tuple[int, int]
    parts: Bool[Tensor, "2 parts"]


def shared_parts(dataset: Dataset) -> tuple[SharedParts | None, ...]:
    """For each class the pair, or None where no two others share different parts with it.

    A class shares a part with another if both have the same most frequent value in all of its
    attributes. None for each where the dataset does not know its classes' attributes.
    """
    if not isinstance(dataset, ClassAttributes):
        return (None,) * len(dataset.class_names())
    same = _agreement(dataset)
    return tuple(best_pair(same[label], label) for label in range(len(same)))


def _agreement(dataset: Dataset) -> Bool[Tensor, "classes classes parts"]:
    """Whether two classes share a part, of those that masks name."""
    masks = annotated(dataset, PartMasks).mask_names()
    names = dataset.part_names() if isinstance(dataset, PartPoints) else masks
    count = len(dataset.class_names())
    same = torch.ones(count, count, len(masks), dtype=torch.bool)
    described = set()
    for attribute in annotated(dataset, ClassAttributes).class_attributes():
        name = names[attribute.part]
        if name in masks:
            modes = attribute.frequencies.argmax(1)
            same[:, :, masks.index(name)] &= modes[:, None] == modes
            described.add(name)
    return same & torch.tensor([name in described for name in masks])


def best_pair(shared: Bool[Tensor, "classes parts"], label: int) -> SharedParts | None:
    """The pair of other classes that share the most parts with `label`, each other ones.

    Of equally good pairs the first.
    """
    first, second = torch.triu_indices(len(shared), len(shared), 1)
    own = (first != label) & (second != label)
    first, second = first[own], second[own]
    only = torch.stack([shared[first] & ~shared[second], shared[second] & ~shared[first]], 1)
    least = only.sum(2).amin(1)
    if not len(least) or not least.max():
        return None
    place = int(least.argmax())
    return SharedParts((int(first[place]), int(second[place])), only[place])


class Question(NamedTuple):
    """An image of which the maps of two other classes are asked for."""

    image: int
    shared: SharedParts


def questions(
    shared: Sequence[SharedParts | None], ids: Sequence[int], labels: Int64[Tensor, " n"]
) -> list[Question]:
    """One for each image whose class shares parts with two others."""
    own = [shared[label] for label in labels.tolist()]
    return [Question(i, one) for i, one in zip(ids, own, strict=True) if one is not None]


def by_class(asked: Sequence[Question]) -> dict[int, tuple[int, ...]]:
    """The images that each class has to be explained of."""
    images: dict[int, list[int]] = {}
    for question in asked:
        for label in question.shared.classes:
            images.setdefault(label, []).append(question.image)
    return {label: tuple(images[label]) for label in sorted(images)}


def with_target(explainer: Explainer, label: int) -> Explainer | None:
    """The explainer for another class, without contrast; None where it knows no `target`."""
    fields = {field.name for field in dataclasses.fields(explainer)}  # type: ignore[arg-type]
    if "target" not in fields:
        return None
    plain = {"against": ""} if "against" in fields else {}
    changed: Explainer = dataclasses.replace(explainer, target=label, **plain)  # type: ignore[type-var]
    return changed


def sensitivity(
    shared: SharedParts,
    without: Float32[Tensor, "2 classes"],
    sums: Float64[Tensor, "2 parts"],
) -> float:
    """FunnyBirds' score of an image: 0, ½ or 1; NaN where its premise does not hold.

    `without` are the logits without the parts of each class; `sums` what both maps say of all
    parts. The premise: a class loses more with its own parts. Its map should say more of them.
    """
    one, other = shared.classes
    holds = without[0, one] < without[1, one] and without[1, other] < without[0, other]
    if not (holds and shared.parts.any(1).all()):
        return float("nan")
    said = sums @ shared.parts.double().T
    return (float(said[0, 0] > said[1, 0]) + float(said[1, 1] > said[0, 1])) / 2


def sensitivities(
    images: Sequence[Seen],
    asked: Sequence[Question],
    maps: Mapping[tuple[int, int], SaliencyMap],
    changes: ChangedImages,
    width: int,
) -> list[float]:
    """The target sensitivity of each image; NaN for those that are not asked about.

    `maps` has the maps of an image by its id and the class that they speak for. Only parts that
    are large enough to be changed count.
    """
    by_id = {image.case.id: image for image in images}
    own = [question.shared.parts & by_id[question.image].changed for question in asked]
    without = changes.logits([question.image for question in asked], torch.stack(own))
    values = dict.fromkeys(by_id, math.nan)
    for question, parts, logits in zip(asked, own, without, strict=True):
        image, classes = by_id[question.image], question.shared.classes
        sums = [
            widened_sums(
                map_of(maps[question.image, label], image.mask), image.mask, len(parts[0]), width
            )
            for label in classes
        ]
        shared = SharedParts(classes, parts)
        values[question.image] = sensitivity(shared, logits, torch.stack(sums))
    return [values[image.case.id] for image in images]
