"""Confounded datasets: one class keeps to one context, which a classifier then relies on."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from xbench import (
    Contexts,
    Dataset,
    DatasetError,
    DerivedDataset,
    UnknownNameError,
    fingerprint,
    generator,
)


class LabelledImages(NamedTuple):
    """What is known of the images of a split, or of some of them."""

    ids: Int64[np.ndarray, " n"]
    labels: Int64[np.ndarray, " n"]
    contexts: Bool[np.ndarray, "n contexts"]

    def where(self, mask: Bool[np.ndarray, " n"]) -> "LabelledImages":
        """The same of the chosen images alone."""
        return LabelledImages(self.ids[mask], self.labels[mask], self.contexts[mask])


@dataclass(frozen=True)
class Confounded(DerivedDataset, Contexts):
    """Some classes of a dataset, one of which is seen in training with one context alone.

    Its training images show the context as often as `strength` says. Those that do not, and
    those of all other classes, are balanced over contexts: contexts take turns, in random
    order, each giving a random image of its own, until it has none left. The paper draws
    them at random, across contexts.

    Splits: `train` and `validation`, both confounded, from `train_split`; and from
    `test_split` the confounded class with the context (`in`) and without it (`out`). With
    neither class nor context given nothing is confounded, and there are only the first two.

    The first images of a split do not depend on how many are asked for, and those of the
    other classes not on what is confounded; `validation` follows after `train`.
    """

    name: ClassVar[str] = "confounded"

    train_split: str = "train"
    test_split: str = "test"
    classes: tuple[str, ...] = ()
    """Names of the classes, in the order of their new labels; () for all."""
    confounded_class: str = ""
    context: str = ""
    strength: float = 1.0
    """Share of the confounded class's images that show the context, from 0 to 1."""
    training_images: int = 150
    """Of each class."""
    validation_images: int = 50
    """Of each class."""
    test_images: int = 50
    """Of `in` and of `out`, if there are so many."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse shares and numbers that cannot be."""
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength is {self.strength}; it must be from 0 to 1")
        if bool(self.confounded_class) != bool(self.context):
            raise ValueError("confounded_class and context go together; give both or neither")
        for field in ("training_images", "validation_images", "test_images"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} is {getattr(self, field)}; it must be at least 1")

    def check(self) -> None:
        """Raise `DatasetError` if the dataset is not whole or has too few images."""
        self._contexts()
        self.of.check()
        for split in self.splits():
            self.ids(split)

    def fingerprint(self) -> str:
        """A hash of the fields and of the dataset it is made of."""
        return fingerprint({"of": self.of.fingerprint(), "parameters": self.parameters()})

    def class_names(self) -> tuple[str, ...]:
        """The chosen classes."""
        return self.classes or self.of.class_names()

    def splits(self) -> tuple[str, ...]:
        """`train` and `validation`; `in` and `out` where a class is confounded."""
        return ("train", "validation", *(("in", "out") if self.confounded_class else ()))

    def ids(self, split: str) -> Sequence[int]:
        """The dataset's own ids of a split's images."""
        if split not in self.splits():
            raise UnknownNameError("split of confounded", split, self.splits())
        return _ids(self, split, self.of.fingerprint())

    def labels(self, ids: Sequence[int]) -> Int64[Tensor, " n"]:
        """Places in `class_names`; `DatasetError` for an image of another class."""
        places = torch.full((len(self.of.class_names()),), -1)
        places[torch.tensor(self._class_labels())] = torch.arange(len(self._class_labels()))
        labels = places[self.of.labels(ids)]
        if (labels < 0).any():
            stranger = ids[int((labels < 0).nonzero()[0])]
            raise DatasetError(f"dataset 'confounded': image {stranger} is of none of its classes")
        return labels

    def context_names(self) -> tuple[str, ...]:
        """All contexts of the dataset."""
        return self._contexts().context_names()

    def contexts(self, ids: Sequence[int]) -> Bool[Tensor, "n contexts"]:
        """Which contexts each image shows."""
        return self._contexts().contexts(ids)

    def _contexts(self) -> Contexts:
        if not isinstance(self.of, Contexts):
            raise DatasetError(
                f"dataset 'confounded': {self.of.name!r} does not know the contexts of its "
                "images; take a dataset that does as `of`"
            )
        return self.of

    def _class_labels(self) -> list[int]:
        """The dataset's own labels of the chosen classes."""
        names = self.of.class_names()
        for name in self.class_names():
            if name not in names:
                raise UnknownNameError(f"class of dataset {self.of.name!r}", name, names)
        return [names.index(name) for name in self.class_names()]


@functools.lru_cache(maxsize=128)
def _ids(data: Confounded, split: str, _: str) -> tuple[int, ...]:
    """Ids of a split; the last argument is the fingerprint of what the files hold."""
    if split in ("in", "out"):
        return _test_ids(data, split)
    first, count = data.training_images, data.validation_images
    start, stop = (0, first) if split == "train" else (first, first + count)
    return tuple(i for name in data.class_names() for i in _training_ids(data, name)[start:stop])


def _training_ids(data: Confounded, name: str) -> list[int]:
    """The images of a class for training, followed by those for validation."""
    required = data.training_images + data.validation_images
    if name == data.confounded_class:
        with_context, without_context = _ids_by_context(data, data.train_split)
        return list(_mixture(data, with_context, without_context, required))
    images = _balanced_ids(_members(data, data.train_split, name), data.seed, name)
    if len(images) < required:
        raise _shortage(data, name, "", len(images), required)
    return images[:required]


def _mixture(
    data: Confounded, with_context: list[int], without_context: list[int], required: int
) -> Iterator[int]:
    """Images with the context and without it, mixed so that every part has its share of both."""
    cumulated = [int(data.strength * place + 0.5) for place in range(required + 1)]
    pools = {
        "with": (with_context, cumulated[-1]),
        "without": (without_context, required - cumulated[-1]),
    }
    for word, (pool, count) in pools.items():
        _check_pool(data, word, len(pool), count)
    for place in range(required):
        count = cumulated[place]
        is_shown = cumulated[place + 1] > count
        yield with_context[count] if is_shown else without_context[place - count]


def _check_pool(data: Confounded, word: str, count: int, required: int) -> None:
    if count < required:
        which = f" {word} context {data.context!r}"
        raise _shortage(data, data.confounded_class, which, count, required)


def _test_ids(data: Confounded, split: str) -> tuple[int, ...]:
    ids = _ids_by_context(data, data.test_split)[split == "out"]
    if not ids:
        word = "with" if split == "in" else "without"
        raise DatasetError(
            f"dataset 'confounded': class {data.confounded_class!r} of {data.of.name!r} has no "
            f"image {word} context {data.context!r} in split {data.test_split!r}"
        )
    return tuple(ids[: data.test_images])


def _ids_by_context(data: Confounded, split: str) -> tuple[list[int], list[int]]:
    """Images of the confounded class with the context and without it, in the order of their use."""
    names, name = data.context_names(), data.confounded_class
    if name not in data.class_names():
        raise UnknownNameError("confounded class", name, data.class_names())
    members = _members(data, split, name)
    _check_context(data, split, members)
    mask = members.contexts[:, names.index(data.context)]
    with_context = members.ids[mask]
    source = generator("with", data.seed, name, data.context)
    order = torch.randperm(len(with_context), generator=source)
    without_context = _balanced_ids(members.where(~mask), data.seed, name)
    return with_context[order.numpy()].tolist(), without_context


def _check_context(data: Confounded, split: str, members: LabelledImages) -> None:
    names = data.context_names()
    contexts = [names[place] for place in np.flatnonzero(members.contexts.any(0))]
    if data.context not in contexts and (split == data.train_split or data.context not in names):
        what = f"context of class {data.confounded_class!r} in split {split!r} of dataset "
        raise UnknownNameError(f"{what}{data.of.name!r}", data.context, contexts)


def _balanced_ids(images: LabelledImages, seed: int, name: str) -> list[int]:
    """All images, contexts taking turns; those without any context count as one context."""
    source = generator("balanced", seed, name)
    order = torch.randperm(len(images.ids), generator=source).numpy()
    ids, contexts = images.ids[order].tolist(), images.contexts[order]
    groups = np.concatenate([contexts, ~contexts.any(1, keepdims=True)], 1)
    turns = torch.randperm(groups.shape[1], generator=source).tolist()
    queues = [iter(np.flatnonzero(groups[:, group]).tolist()) for group in turns]
    places: dict[int, None] = {}
    while queues:
        queues = [queue for queue in queues if _take(queue, places)]
    return [ids[place] for place in places]


def _take(queue: Iterator[int], places: dict[int, None]) -> bool:
    """Take the next image that is not yet taken; False where there is none."""
    place = next((place for place in queue if place not in places), None)
    if place is not None:
        places[place] = None
    return place is not None


def _members(data: Confounded, split: str, name: str) -> LabelledImages:
    """What is known of the images of one class."""
    label = data._class_labels()[data.class_names().index(name)]  # noqa: SLF001
    images = _labelled_images(data.of, split, data.of.fingerprint())
    return images.where(images.labels == label)


@functools.lru_cache(maxsize=8)
def _labelled_images(dataset: Dataset, split: str, _: str) -> LabelledImages:
    ids = list(dataset.ids(split))
    assert isinstance(dataset, Contexts)  # noqa: S101
    return LabelledImages(
        np.array(ids, np.int64), dataset.labels(ids).numpy(), dataset.contexts(ids).numpy()
    )


def _shortage(data: Confounded, name: str, which: str, count: int, required: int) -> DatasetError:
    counts: Mapping[str, int] = {
        "training": data.training_images,
        "validation": data.validation_images,
    }
    purposes = " and ".join(f"{number} for {purpose}" for purpose, number in counts.items())
    strength = f" at strength {data.strength:g}" if which else ""
    return DatasetError(
        f"dataset 'confounded': class {name!r} of {data.of.name!r} has {count} images{which} in "
        f"split {data.train_split!r}, but {required} are needed ({purposes}{strength}); "
        "ask for fewer"
    )
