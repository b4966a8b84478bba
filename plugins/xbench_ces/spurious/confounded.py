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


class Known(NamedTuple):
    """What is known of the images of a split, or of some of them."""

    ids: Int64[np.ndarray, " n"]
    labels: Int64[np.ndarray, " n"]
    shows: Bool[np.ndarray, "n contexts"]

    def where(self, chosen: Bool[np.ndarray, " n"]) -> "Known":
        """The same of the chosen images alone."""
        return Known(self.ids[chosen], self.labels[chosen], self.shows[chosen])


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
        given = self.of.labels(ids)
        places = torch.full((len(self.of.class_names()),), -1)
        places[torch.tensor(self._chosen())] = torch.arange(len(self._chosen()))
        found = places[given]
        if (found < 0).any():
            stranger = ids[int((found < 0).nonzero()[0])]
            raise DatasetError(f"dataset 'confounded': image {stranger} is of none of its classes")
        return found

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

    def _chosen(self) -> list[int]:
        """The dataset's own labels of the chosen classes."""
        known = self.of.class_names()
        for name in self.class_names():
            if name not in known:
                raise UnknownNameError(f"class of dataset {self.of.name!r}", name, known)
        return [known.index(name) for name in self.class_names()]


@functools.lru_cache(maxsize=128)
def _ids(data: Confounded, split: str, _: str) -> tuple[int, ...]:
    """Ids of a split; the last argument is the fingerprint of what the files hold."""
    if split in ("in", "out"):
        return _tested(data, split)
    first, count = data.training_images, data.validation_images
    start, stop = (0, first) if split == "train" else (first, first + count)
    return tuple(i for name in data.class_names() for i in _trained(data, name)[start:stop])


def _trained(data: Confounded, name: str) -> list[int]:
    """The images of a class for training, followed by those for validation."""
    needed = data.training_images + data.validation_images
    if name == data.confounded_class:
        with_, without = _parted(data, data.train_split)
        return list(_mixed(data, with_, without, needed))
    images = _balanced(_members(data, data.train_split, name), data.seed, name)
    if len(images) < needed:
        raise _too_few(data, name, "", len(images), needed)
    return images[:needed]


def _mixed(data: Confounded, with_: list[int], without: list[int], needed: int) -> Iterator[int]:
    """Images with the context and without it, mixed so that every part has its share of both."""
    shown = [int(data.strength * place + 0.5) for place in range(needed + 1)]
    pools = {"with": (with_, shown[-1]), "without": (without, needed - shown[-1])}
    for word, (pool, count) in pools.items():
        if len(pool) < count:
            which = f" {word} context {data.context!r}"
            raise _too_few(data, data.confounded_class, which, len(pool), count)
    for place in range(needed):
        is_shown = shown[place + 1] > shown[place]
        yield with_[shown[place]] if is_shown else without[place - shown[place]]


def _tested(data: Confounded, split: str) -> tuple[int, ...]:
    found = _parted(data, data.test_split)[split == "out"]
    if not found:
        word = "with" if split == "in" else "without"
        raise DatasetError(
            f"dataset 'confounded': class {data.confounded_class!r} of {data.of.name!r} has no "
            f"image {word} context {data.context!r} in split {data.test_split!r}"
        )
    return tuple(found[: data.test_images])


def _parted(data: Confounded, split: str) -> tuple[list[int], list[int]]:
    """Images of the confounded class with the context and without it, in the order of their use."""
    names, name = data.context_names(), data.confounded_class
    if name not in data.class_names():
        raise UnknownNameError("confounded class", name, data.class_names())
    members = _members(data, split, name)
    seen = [names[place] for place in np.flatnonzero(members.shows.any(0))]
    if data.context not in seen and (split == data.train_split or data.context not in names):
        what = f"context of class {name!r} in split {split!r} of dataset {data.of.name!r}"
        raise UnknownNameError(what, data.context, seen)
    shown = members.shows[:, names.index(data.context)]
    with_ = members.ids[shown]
    order = torch.randperm(len(with_), generator=generator("with", data.seed, name, data.context))
    without = _balanced(members.where(~shown), data.seed, name)
    return with_[order.numpy()].tolist(), without


def _balanced(known: Known, seed: int, name: str) -> list[int]:
    """All images, contexts taking turns; those without any context count as one context."""
    source = generator("balanced", seed, name)
    order = torch.randperm(len(known.ids), generator=source).numpy()
    ids, shows = known.ids[order].tolist(), known.shows[order]
    groups = np.concatenate([shows, ~shows.any(1, keepdims=True)], 1)
    turns = torch.randperm(groups.shape[1], generator=source).tolist()
    waiting = [iter(np.flatnonzero(groups[:, turn]).tolist()) for turn in turns]
    taken: dict[int, None] = {}
    while waiting:
        waiting = [turn for turn in waiting if _take(turn, taken)]
    return [ids[place] for place in taken]


def _take(turn: Iterator[int], taken: dict[int, None]) -> bool:
    """Take the next image that is not yet taken; False where there is none."""
    place = next((place for place in turn if place not in taken), None)
    if place is not None:
        taken[place] = None
    return place is not None


def _members(data: Confounded, split: str, name: str) -> Known:
    """What is known of the images of one class."""
    label = data._chosen()[data.class_names().index(name)]  # noqa: SLF001
    known = _known(data.of, split, data.of.fingerprint())
    return known.where(known.labels == label)


@functools.lru_cache(maxsize=8)
def _known(of: Dataset, split: str, _: str) -> Known:
    ids = list(of.ids(split))
    assert isinstance(of, Contexts)  # noqa: S101
    return Known(np.array(ids, np.int64), of.labels(ids).numpy(), of.contexts(ids).numpy())


def _too_few(data: Confounded, name: str, which: str, found: int, needed: int) -> DatasetError:
    counts: Mapping[str, int] = {
        "training": data.training_images,
        "validation": data.validation_images,
    }
    asked = " and ".join(f"{count} for {purpose}" for purpose, count in counts.items())
    at = f" at strength {data.strength:g}" if which else ""
    return DatasetError(
        f"dataset 'confounded': class {name!r} of {data.of.name!r} has {found} images{which} in "
        f"split {data.train_split!r}, but {needed} are needed ({asked}{at}); ask for fewer"
    )
