"""Mistakes of datasets are found, and named by rule."""

from collections import Counter

import pytest
import torch

from xbench.errors import DatasetError
from xbench.interfaces.data.annotation import AnnotatorLabels, PartAttribute, PartRemovals
from xbench.interfaces.data.dataset import Dataset
from xbench.testing.tiny import TinyDataset, tiny_images

COUNTS = Counter()


def fresh(name):
    """Another number each time."""
    COUNTS[name] += 1
    return COUNTS[name]


def changed(method, change):
    """A method of the tiny dataset, its result changed."""
    return {method: lambda self, *given: change(getattr(TinyDataset(), method)(*given))}


def image(make):
    return {"images": lambda self, ids: [make(i) for i in ids]}


def first(change):
    """A change of the first of several values."""

    def of(values):
        values = [value.clone() for value in values]
        change(values[0])
        return values

    return of


def filled(value, *place):
    def of(tensor):
        tensor = tensor.clone()
        tensor[place] = value
        return tensor

    return of


def attributes(**changes):
    def of(every):
        return (every[0]._replace(**changes), *every[1:])

    return changed("class_attributes", of)


def blotted(data, ids, removed):
    """Without the parts, and with a pixel of no part changed wherever one is removed."""
    images = [image.clone() for image in TinyDataset().images_without(ids, removed)]
    for image, marked in zip(images, removed, strict=True):
        image[:, 0, 0] += int(marked.any())
    return images


def redrawn(data, ids, marks):
    """Other noise each time."""
    return TinyDataset().images_redrawn(ids, marks, fresh("draw"))


def refused():
    raise DatasetError("no pictures")


MISTAKES = {
    "labels of another type": (changed("labels", lambda t: t.int()), "labels", "type int32"),
    "labels out of range": (changed("labels", lambda t: t + 9), "labels", "out of range: [9,"),
    "a column of labels": (changed("labels", lambda t: t[:, None]), "labels", "shape (3, 1)"),
    "a list of labels": (changed("labels", lambda t: t.tolist()), "labels", "a list"),
    "images that are drawn anew": (
        image(lambda _: torch.full((3, 4, 4), fresh("image") % 256, dtype=torch.uint8)),
        "repeatable",
        "other images when ids come in another order",
    ),
    "images of floats": (image(lambda _: torch.zeros(3, 4, 4)), "images", "type float32"),
    "grey images": (
        image(lambda _: torch.zeros(1, 4, 4, dtype=torch.uint8)),
        "images",
        "shape (1, 4, 4)",
    ),
    "images that are lists": (
        {**image(lambda _: [[0]]), "sizes": lambda self, ids: [(1, 1)] * len(ids)},
        "images",
        "a list",
    ),
    "an image too few": (changed("images", lambda i: i[1:]), "images", "2 images and"),
    "sizes of width and height": (
        {**image(lambda _: torch.zeros(3, 4, 5, dtype=torch.uint8)), **changed("sizes", list)},
        "images",
        "of size (4, 5) has (16, 16)",
    ),
    "splits that overlap": (
        {"ids": lambda self, split: range(20)},
        "splits",
        "shares images with another",
    ),
    "an image twice": ({"ids": lambda self, split: [1, 1, 2]}, "splits", "has an image twice"),
    "ids that are words": ({"ids": lambda self, split: ["a", "b"]}, "splits", "no integers"),
    "two classes of one name": (
        {"class_names": lambda self: ("cat", "cat", "a", "b", "c")},
        "classes",
        "two classes of one name",
    ),
    "a fingerprint that changes": (
        {"fingerprint": lambda self: str(fresh("fingerprint"))},
        "fingerprint",
        "changes",
    ),
    "points without visibility": (
        changed("part_points", lambda t: t[..., :2]),
        "part points",
        "gives as part points a tensor of shape (3, 2, 2)",
    ),
    "points that are half visible": (
        changed("part_points", filled(0.5, 0, 0, 2)),
        "part points",
        "neither 0 nor 1",
    ),
    "masks of another type": (
        changed("part_masks", lambda masks: [mask.long() for mask in masks]),
        "part masks",
        "type int64, not (16, 16) and int16",
    ),
    "masks of parts that there are not": (
        changed("part_masks", first(lambda mask: mask.fill_(2))),
        "part masks",
        "outside [-1, 1]",
    ),
    "masks of another size": (
        changed("part_masks", lambda masks: [mask[:4] for mask in masks]),
        "part masks",
        "shape (4, 16)",
    ),
    "a mask too few": (changed("part_masks", lambda m: m[1:]), "part masks", "2 part masks for 3"),
    "boxes in single numbers": (
        changed("object_boxes", lambda boxes: boxes[:, :3]),
        "object boxes",
        "gives as object boxes a tensor of shape (3, 3)",
    ),
    "boxes that are absent by half": (
        changed("object_boxes", filled(torch.nan, 0, 2)),
        "object boxes",
        "of which a part is NaN",
    ),
    "boxes of nothing": (
        changed("object_boxes", filled(0.0, 0, 3)),
        "object boxes",
        "empty, or not inside the image",
    ),
    "boxes that reach over the image": (
        changed("object_boxes", filled(17.0, 0, 2)),
        "object boxes",
        "empty, or not inside the image",
    ),
    "boxes that begin before the image": (
        changed("object_boxes", filled(-1.0, 0, 0)),
        "object boxes",
        "empty, or not inside the image",
    ),
    "images without parts of floats": (
        changed("images_without", lambda images: [image / 255 for image in images]),
        "part removals",
        "gives as an image without parts a tensor of shape (3, 16, 16) and type float32",
    ),
    "an image without parts too few": (
        changed("images_without", lambda images: images[1:]),
        "part removals",
        "gives 2 images without parts for 3 ids",
    ),
    "images without parts of another size": (
        changed("images_without", lambda images: [image[:, :4] for image in images]),
        "part removals",
        "shape (3, 4, 16)",
    ),
    "images that change though no part is removed": (
        {"images_without": lambda self, ids, removed: [255 - i for i in self.images(ids)]},
        "part removals",
        "without parts that differ outside the masks",
    ),
    "removals that change a pixel beside the part": (
        {"images_without": blotted},
        "part removals",
        "without parts that differ outside the masks",
    ),
    "removals at random": (
        {"images_without": redrawn},
        "part removals",
        "other images without parts when it is asked again",
    ),
    "removals of no split": (
        {"images_without": lambda self, ids, removed: refused()},
        "part removals",
        "gives images without parts of no split",
    ),
    "redraws that change the image though no part is marked": (
        {"images_redrawn": lambda self, ids, marks, draw: [255 - i for i in self.images(ids)]},
        "part redraws",
        "with parts redrawn that differ outside the masks",
    ),
    "redraws that are no function of the draw": (
        {"images_redrawn": lambda self, ids, marks, draw: redrawn(self, ids, marks)},
        "part redraws",
        "other images with parts redrawn when it is asked again",
    ),
    "an image redrawn too few": (
        changed("images_redrawn", lambda images: images[1:]),
        "part redraws",
        "gives 2 images with parts redrawn for 3 ids",
    ),
    "frequencies in single precision": (
        attributes(frequencies=torch.ones(5, 2)),
        "class attributes",
        "frequencies of attribute 'colour' a tensor of shape (5, 2) and type float32",
    ),
    "frequencies above a hundred": (
        attributes(frequencies=torch.full((5, 2), 101.0, dtype=torch.float64)),
        "class attributes",
        "outside [0, 100]",
    ),
    "frequencies of other values": (
        attributes(values=("red", "blue", "green")),
        "class attributes",
        "not (5, 3)",
    ),
    "attributes in disorder": (attributes(part=7), "class attributes", "not ordered by part"),
    "a class without ancestors": (
        changed("class_ancestors", lambda above: above[1:]),
        "class hierarchy",
        "ancestors of 4 classes, and 5",
    ),
    "a node with two parents": (
        changed("class_ancestors", lambda above: (("animal", "pet"), *above[1:])),
        "class hierarchy",
        "'animal' has two parents",
    ),
    "contexts that are counts": (changed("contexts", lambda t: t.long()), "contexts", "int64"),
    "contexts of other names": (
        {"context_names": lambda self: ("day", "day", "night")},
        "contexts",
        "has two contexts of one name",
    ),
    "examples of floats": (
        changed("concept_examples", lambda pair: type(pair)(*(one / 255 for one in pair))),
        "concept examples",
        "positive examples of 'dark' a tensor of shape (2, 3, 16, 16) and type float32",
    ),
    "examples from elsewhere": (
        changed("concept_examples", lambda pair: type(pair)(*(one + fresh("e") for one in pair))),
        "concept examples",
        "from elsewhere than its generator",
    ),
    "human labels that are negative": (
        changed("label_counts", lambda t: -t),
        "human labels",
        "outside [0, inf]",
    ),
    "human labels of nobody": (changed("label_counts", lambda t: 0 * t), "human labels", "nobody"),
    "human labels that are shares": (
        changed("label_counts", lambda t: t / 10),
        "human labels",
        "type float32",
    ),
    "labels of annotators that are not counted": (
        {"annotator_labels": lambda self, ids: AnnotatorLabels(*torch.zeros(3, 1).long())},
        "human labels",
        "one by one, that are others than those it counts",
    ),
    "posteriors that are no distributions": (
        changed("class_posterior", lambda t: t / 2),
        "ideal observer",
        "do not sum to 1",
    ),
    "likelihoods above one": (
        changed("part_likelihoods", lambda t: t + 1),
        "ideal observer",
        "part likelihoods outside [0, 1]",
    ),
    "likelihoods of no parts": (
        changed("part_likelihoods", lambda t: t[:, 0]) | changed("class_posterior", torch.clone),
        "ideal observer",
        "part likelihoods a tensor of shape (3, 5)",
    ),
    "labels that it says not to have": (
        {"has_labels": False},
        "labels",
        "is not labelled, and gives as labels a tensor",
    ),
    "an error": ({"labels": lambda self, ids: 1 / 0}, "labels", "raises ZeroDivisionError"),
    "an exit": ({"splits": lambda self: sys_exit()}, "splits", "raises SystemExit"),
    "an error in its check": ({"check": lambda self: 1 / 0}, "tried", "raises ZeroDivisionError"),
    "a default that is left": (
        {"class_names": lambda self: left_double() or TinyDataset().class_names()},
        "unchanged",
        "changed the default dtype from torch.float32 to torch.float64",
    ),
}


class Unmasked(Dataset, PartRemovals):
    """Knows its images without parts, and no part."""

    name = "unmasked"
    check = TinyDataset.check
    fingerprint = TinyDataset.fingerprint
    class_names = TinyDataset.class_names
    splits = TinyDataset.splits
    ids = TinyDataset.ids
    labels = TinyDataset.labels
    images = TinyDataset.images
    images_without = TinyDataset.images_without


def test_removals_of_parts_without_names_are_named(planted, told):
    found = planted(Unmasked, {})
    assert told(found, "dataset", "part removals", "but no part masks, which name the parts")


def test_removals_that_are_said_to_be_inexact_may_change_more(planted):
    methods = MISTAKES["removals that change a pixel beside the part"][0]
    assert planted(TinyDataset, {**methods, "exact_removals": False}) == []


def test_removals_of_some_splits_are_enough(planted):
    def images_without(self, ids, removed):
        if removed.any() and ids[0] >= 20:
            refused()
        return TinyDataset().images_without(ids, removed)

    assert planted(TinyDataset, {"images_without": images_without}) == []


def sys_exit():
    raise SystemExit(3)


def left_double():
    torch.set_default_dtype(torch.float64)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_a_dataset_is_named(planted, told, name):
    methods, rule, text = MISTAKES[name]
    found = planted(TinyDataset, methods)
    assert told(found, "dataset", rule, text)
    assert torch.get_default_dtype() is torch.float32


def test_a_dataset_without_mistakes_has_none(planted):
    assert planted(TinyDataset, {}) == []
    assert tiny_images("train").ids() == tuple(range(20, 40))
    assert isinstance(TinyDataset().class_attributes()[0], PartAttribute)


def test_an_error_is_told_once(planted):
    found = planted(TinyDataset, {"class_names": lambda self: 1 / 0})
    assert len([fault for fault in found if "ZeroDivisionError" in fault]) == 1
