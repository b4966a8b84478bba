"""What datasets must do that implement a kind of annotation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from xbench.errors import DatasetError
from xbench.interfaces.data.annotation import (
    Annotation,
    AnnotatorLabels,
    ClassAttributes,
    ClassHierarchy,
    ConceptExamples,
    Contexts,
    HumanLabels,
    IdealObserver,
    ObjectBoxes,
    PartMasks,
    PartPoints,
    PartRedraws,
    PartRemovals,
)
from xbench.interfaces.data.dataset import Dataset
from xbench.randomness import generator
from xbench.testing.conformance.datasets import present, tried
from xbench.testing.conformance.rules import Beside, Rule, form, is_tensor

_EXAMPLES = 2
_ROUNDED = 1e-3
"""By how many pixels a box may reach beyond its image, where sums of floats do."""


def rules(dataset: Dataset, beside: Beside) -> Iterator[Rule]:
    """One for each kind of annotation that the dataset has, if its data is here."""
    if not present(dataset):
        return
    for kind, (name, faults) in _KINDS.items():
        if isinstance(dataset, kind):
            yield Rule(name, partial(faults, dataset))


def _shaped(
    what: str, value: Any, shape: tuple[int, ...], *dtypes: torch.dtype, low: float, high: float
) -> Iterator[str]:
    """What is wrong with a tensor of annotations: its shape, its type, or a value out of range."""
    if not is_tensor(value, shape, *dtypes):
        types = " or ".join(str(dtype).split(".")[1] for dtype in dtypes)
        yield f"gives as {what} {form(value)}, not {shape} and {types}"
    elif value.numel() and not ((value >= low) & (value <= high)).all():
        yield f"gives {what} outside [{low:g}, {high:g}]"


def _unique(what: str, names: tuple[str, ...]) -> Iterator[str]:
    if len(set(names)) != len(names):
        yield f"has two {what} of one name"


def _part_points(data: Any) -> Iterator[str]:
    names = data.part_names()
    yield from _unique("parts", names)
    for ids in tried(data):
        points = data.part_points(ids)
        shape, far = (len(ids), len(names), 3), float("inf")
        floats = (torch.float32, torch.float64)
        faults = list(_shaped("part points", points, shape, *floats, low=-far, high=far))
        yield from faults
        if not faults and not ((points[..., 2] == 0) | (points[..., 2] == 1)).all():
            yield "gives part points whose visibility is neither 0 nor 1"


def _part_masks(data: Any) -> Iterator[str]:
    most = len(data.mask_names()) - 1
    for ids in tried(data):
        masks, sizes = data.part_masks(ids), data.sizes(ids)
        if len(masks) != len(ids):
            yield f"gives {len(masks)} part masks for {len(ids)} images"
            continue
        for mask, size in zip(masks, sizes, strict=True):
            yield from _shaped("a part mask", mask, tuple(size), torch.int16, low=-1, high=most)


def _object_boxes(data: Any) -> Iterator[str]:
    for ids in tried(data):
        boxes, sizes = data.object_boxes(ids), torch.tensor(list(data.sizes(ids)))
        if not is_tensor(boxes, (len(ids), 4), torch.float32, torch.float64):
            yield f"gives as object boxes {form(boxes)}, not {(len(ids), 4)} and float32 or float64"
            continue
        absent = boxes.isnan()
        if (absent.any(dim=1) != absent.all(dim=1)).any():
            yield "gives object boxes of which a part is NaN: all four numbers are, or none"
        here = ~absent.any(dim=1)
        corner, extent = boxes[here, :2], boxes[here, 2:]
        beyond = corner + extent > sizes[here].flip(1) + _ROUNDED
        if (corner < 0).any() or (extent <= 0).any() or beyond.any():
            yield "gives object boxes that are empty, or not inside the image"


class _Intervention(NamedTuple):
    """Images of a dataset, made again with some parts marked."""

    what: str
    images: Callable[[Sequence[int], Tensor], Any]
    is_local: bool
    """Whether it may change no pixel outside the masks of marked parts."""


def _part_removals(data: Any) -> Iterator[str]:
    yield from _interventions(
        data, _Intervention("without parts", data.images_without, data.exact_removals)
    )


def _part_redraws(data: Any) -> Iterator[str]:
    def images(ids: Sequence[int], marks: Tensor) -> Any:
        return data.images_redrawn(ids, marks, 0)

    yield from _interventions(data, _Intervention("with parts redrawn", images, is_local=False))


def _interventions(data: Any, intervention: _Intervention) -> Iterator[str]:
    parts = len(data.mask_names()) if isinstance(data, PartMasks) else 0
    if not parts:
        yield f"gives images {intervention.what}, but no part masks, which name the parts"
        return
    is_offered = False
    for ids in tried(data):
        for marks in _marks(len(ids), parts):
            try:
                images = intervention.images(ids, marks)
            except DatasetError:
                # Some have such pictures of some splits only.
                continue
            is_offered |= bool(marks.any())
            yield from _changed(data, ids, marks, images, intervention)
    if not is_offered:
        yield f"gives images {intervention.what} of no split"


def _marks(images: int, parts: int) -> Iterator[Tensor]:
    """No part, another one of each image, and all."""
    one = torch.arange(images)[:, None] % parts == torch.arange(parts)
    return iter((torch.zeros_like(one), one, torch.ones_like(one)))


def _changed(
    data: Any, ids: list[int], marks: Tensor, images: Any, intervention: _Intervention
) -> Iterator[str]:
    what = intervention.what
    if len(images) != len(ids):
        yield f"gives {len(images)} images {what} for {len(ids)} ids"
        return
    faults: list[str] = []
    for image, size in zip(images, data.sizes(ids), strict=True):
        named = f"an image {what}"
        faults += _shaped(named, image, (3, *size), torch.uint8, low=0, high=255)
    yield from faults
    if faults:
        return
    back = intervention.images(ids[::-1], marks.flip(0))
    if not all(map(torch.equal, images, reversed(list(back)))):
        yield f"gives other images {what} when it is asked again in another order"
    if _is_changed_elsewhere(data, ids, marks, images, intervention):
        yield f"gives images {what} that differ outside the masks of these parts"


def _is_changed_elsewhere(
    data: Any, ids: list[int], marks: Tensor, images: Any, intervention: _Intervention
) -> bool:
    """Whether pixels changed that may not: any where nothing is marked, else outside masks."""
    if marks.any() and not intervention.is_local:
        return False
    for image, before, mask, marked in zip(
        images, data.images(ids), data.part_masks(ids), marks, strict=True
    ):
        inside = torch.isin(mask.long(), marked.nonzero().flatten())
        if (image != before).any(dim=0)[~inside].any():
            return True
    return False


def _class_attributes(data: Any) -> Iterator[str]:
    classes, attributes = len(data.class_names()), data.class_attributes()
    if [one.part for one in attributes] != sorted(one.part for one in attributes):
        yield "has class attributes that are not ordered by part"
    for one in attributes:
        shape, what = (classes, len(one.values)), f"frequencies of attribute {one.name!r}"
        yield from _shaped(what, one.frequencies, shape, torch.float64, low=0, high=100)
        yield from _unique(f"values of attribute {one.name!r}", one.values)


def _class_hierarchy(data: Any) -> Iterator[str]:
    classes, above = len(data.class_names()), data.class_ancestors()
    if len(above) != classes:
        yield f"has ancestors of {len(above)} classes, and {classes} classes"
    parents: dict[str, tuple[str, ...]] = {}
    for ancestors in above:
        for place, name in enumerate(ancestors):
            if parents.setdefault(name, ancestors[place + 1 :]) != ancestors[place + 1 :]:
                yield f"has no tree above its classes: {name!r} has two parents"


def _contexts(data: Any) -> Iterator[str]:
    names = data.context_names()
    yield from _unique("contexts", names)
    for ids in tried(data):
        shape = (len(ids), len(names))
        yield from _shaped("contexts", data.contexts(ids), shape, torch.bool, low=0, high=1)


def _concept_examples(data: Any) -> Iterator[str]:
    concepts = data.concepts()
    yield from _unique("concepts", tuple(concept.name for concept in concepts))
    for concept in concepts[:1]:
        pairs = [
            data.concept_examples(concept.name, _EXAMPLES, generator("examples")) for _ in range(2)
        ]
        for which, images in pairs[0]._asdict().items():
            shape, what = (_EXAMPLES, 3, -1, -1), f"{which} examples of {concept.name!r}"
            yield from _shaped(what, images, shape, torch.uint8, low=0, high=255)
        if not all(map(torch.equal, *pairs)):
            yield "draws examples of concepts from elsewhere than its generator"


def _human_labels(data: Any) -> Iterator[str]:
    classes, integers = len(data.class_names()), (torch.int64, torch.int32, torch.int16)
    for ids in tried(data):
        counts, shape = data.label_counts(ids), (len(ids), classes)
        faults = list(_shaped("label counts", counts, shape, *integers, low=0, high=float("inf")))
        yield from faults
        if not faults and not (counts.sum(dim=1) > 0).all():
            yield "has images that nobody labelled among those with human labels"
        if not faults and not _counted_alike(data.annotator_labels(ids), counts):
            yield "has labels of annotators, one by one, that are others than those it counts"


def _counted_alike(labels: AnnotatorLabels | None, counts: Tensor) -> bool:
    """Whether labels are the counted ones; where nobody knows who gave which, there are none."""
    if labels is None:
        return True
    ones = torch.ones(len(labels.places), dtype=counts.dtype)
    places = (labels.places, labels.classes)
    return torch.equal(torch.zeros_like(counts).index_put(places, ones, accumulate=True), counts)


def _ideal_observer(data: Any) -> Iterator[str]:
    classes, double = len(data.class_names()), torch.float64
    for ids in tried(data):
        likelihoods, posterior = data.part_likelihoods(ids), data.class_posterior(ids)
        shapes = ((len(ids), -1, classes), (len(ids), classes))
        yield from _shaped("part likelihoods", likelihoods, shapes[0], double, low=0, high=1)
        faults = list(_shaped("class posteriors", posterior, shapes[1], double, low=0, high=1))
        yield from faults
        if not faults and not _sums_to_one(posterior):
            yield "gives class posteriors that do not sum to 1"


def _sums_to_one(rows: Tensor) -> bool:
    return torch.allclose(rows.sum(dim=1), rows.new_ones(len(rows)))


_KINDS: Mapping[type[Annotation], tuple[str, Callable[[Any], Iterator[str]]]] = {
    PartPoints: ("part points", _part_points),
    PartMasks: ("part masks", _part_masks),
    ObjectBoxes: ("object boxes", _object_boxes),
    PartRemovals: ("part removals", _part_removals),
    PartRedraws: ("part redraws", _part_redraws),
    ClassAttributes: ("class attributes", _class_attributes),
    ClassHierarchy: ("class hierarchy", _class_hierarchy),
    Contexts: ("contexts", _contexts),
    ConceptExamples: ("concept examples", _concept_examples),
    HumanLabels: ("human labels", _human_labels),
    IdealObserver: ("ideal observer", _ideal_observer),
}
